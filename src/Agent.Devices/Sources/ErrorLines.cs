using System.Text;
using System.Text.RegularExpressions;

namespace Agent.Devices.Sources;

/// <summary>The last lines that a program wrote to its standard error, for the message that says how it failed.</summary>
internal sealed partial class ErrorLines
{
    private const int MaximumLines = 3;
    private const int MaximumLineLength = 200;

    private readonly byte[] _line = new byte[MaximumLineLength];
    private readonly Queue<byte[]> _kept = new(MaximumLines);
    private int _length;

    /// <summary>Takes what was written; lines are cut to their first 200 bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (value is (byte)'\n' or (byte)'\r') EndLine();
            else if (_length < MaximumLineLength) _line[_length++] = value;
        }
    }

    /// <summary>
    /// Those of the last lines that speak of an error, or else all of them, for a log; empty if there are none. Without what is in brackets
    /// at their beginning, where libcamera and FFmpeg write times and addresses: the same failure is to be the same message. Without the user
    /// and password of URLs.
    /// </summary>
    public override string ToString()
    {
        EndLine();
        var lines = _kept.Select(ToText).Where(static line => line.Length > 0).ToList();
        var errors = lines.Where(static line => line.Contains("error", StringComparison.OrdinalIgnoreCase)).ToList();
        return string.Join(" / ", errors.Count > 0 ? errors : lines);
    }

    private void EndLine()
    {
        if (_line.AsSpan(0, _length).ContainsAnyExcept((byte)' ', (byte)'\t'))
        {
            // Programs that report each frame write lines all the time: their buffers go round.
            var kept = _kept.Count < MaximumLines ? new byte[MaximumLineLength + 1] : _kept.Dequeue();
            kept[0] = (byte)_length;
            _line.AsSpan(0, _length).CopyTo(kept.AsSpan(1));
            _kept.Enqueue(kept);
        }
        _length = 0;
    }

    private static string ToText(byte[] kept)
    {
        // A log line must stay one line, whatever the program wrote.
        var text = string.Concat(Encoding.UTF8.GetString(kept, 1, kept[0]).Select(static c => char.IsControl(c) ? ' ' : c)).Trim();
        while (text.StartsWith('[') && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end) text = text[(end + 1)..].TrimStart();
        return Credentials().Replace(text, "://…@");
    }

    /// <summary>The user information of a URL (RFC 3986 §3.2.1): programs name what they cannot open, and viewers may read the status.</summary>
    [GeneratedRegex("://[^/\\s]*@")]
    private static partial Regex Credentials();
}
