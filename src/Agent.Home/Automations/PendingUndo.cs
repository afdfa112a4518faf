using System.Globalization;

namespace Agent.Home.Automations;

/// <summary>What an entity is to be taken back to.</summary>
/// <param name="Former">Its value before.</param>
/// <param name="Set">What it was set to: an entity that somebody else has changed meanwhile is left alone.</param>
/// <param name="For">How long it was to stay so.</param>
/// <param name="Due">When it is taken back, by the clock that nobody sets.</param>
internal sealed record PendingUndo(string Former, string Set, TimeSpan For, TimeSpan Due)
{
    private const char Separator = '\n';

    /// <summary>After a start: until then entities may not have the values yet that they had before.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    /// <summary>As text, with the due time on the wall clock, for a file.</summary>
    public string Write(Moment now) =>
        string.Join(Separator, (now.Utc + (Due - now.Elapsed)).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ((long)For.TotalSeconds).ToString(CultureInfo.InvariantCulture), Former, Set);

    /// <summary>Reads what <see cref="Write"/> wrote in an earlier run. Due at the latest after the whole time, whatever the wall clock has done.</summary>
    public static bool TryRead(string? text, Moment now, out PendingUndo undo)
    {
        undo = new PendingUndo("", "", default, default);
        if (text?.Split(Separator) is not [var dueText, var timeText, var former, var set]
            || !long.TryParse(dueText, CultureInfo.InvariantCulture, out var due) || !long.TryParse(timeText, CultureInfo.InvariantCulture, out var time)
            || time < 0 || time > TimeSpan.MaxValue.TotalSeconds) return false;
        var left = Math.Clamp((double)due - now.Utc.ToUnixTimeSeconds(), Settling.TotalSeconds, Math.Max(time, Settling.TotalSeconds));
        undo = new PendingUndo(former, set, TimeSpan.FromSeconds(time), now.Elapsed + TimeSpan.FromSeconds(left));
        return true;
    }
}
