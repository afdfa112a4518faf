using Microsoft.Extensions.Logging;

namespace Agent.Devices.Pwm;

/// <summary>
/// A channel that may be missing or go away: it is looked for again, ever less often, and the log says once what is the matter and once
/// that it is mended. Owned by one thread.
/// </summary>
internal sealed partial class PwmOutput(PwmChannel channel, ILogger log)
{
    /// <summary>How often a moving thing is given its next value.</summary>
    internal static readonly TimeSpan UpdateInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>How often an output at rest is looked after.</summary>
    internal static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    /// <summary>udev gives a channel's files to their group after the export: that is waited for this often.</summary>
    internal static readonly TimeSpan PermissionInterval = TimeSpan.FromMilliseconds(100);
    private const int PermissionAttempts = 20;

    private readonly ReopenDelay _delay = new();
    private TimeSpan _retryAt;
    private string? _problem;
    private int _denials;

    /// <inheritdoc cref="PwmChannel(PwmSysfs, PwmAddress, long, bool)"/>
    public static PwmOutput OfKernel(PwmAddress address, long period, bool isInverted, ILogger log) =>
        new(new PwmChannel(new PwmSysfs(), address, period, isInverted), log);

    /// <summary>Whether the channel can be used.</summary>
    public bool IsOpen { get; private set; }

    public PwmChannel Channel => channel;

    /// <summary>Opens the channel if it is time to, or sees whether it is still there.</summary>
    /// <returns>Whether it can be used.</returns>
    public bool Check(TimeSpan now)
    {
        if (IsOpen && channel.IsThere) return true;
        if (!IsOpen && now < _retryAt) return false;
        try
        {
            channel.Open();
            IsOpen = true;
        }
        catch (PwmException e)
        {
            Fail(now, e);
        }
        return IsOpen;
    }

    /// <summary>Uses the open channel.</summary>
    /// <returns>False if that failed: the channel is closed then, and looked for again.</returns>
    public bool Try(TimeSpan now, Action<PwmChannel> use)
    {
        try
        {
            use(channel);
        }
        catch (PwmException e)
        {
            // Of a channel that is not there any more, looking for it says more.
            if (channel.IsThere) Fail(now, e);
            else Check(now);
            return false;
        }
        _denials = 0;
        _delay.Reset();
        if (_problem is not null) LogBack(channel.Address);
        _problem = null;
        return true;
    }

    /// <summary>When to look for the channel again.</summary>
    public TimeSpan RetryIn(TimeSpan now) => _retryAt > now ? _retryAt - now : TimeSpan.Zero;

    /// <summary>What the log has said.</summary>
    public string Problem => _problem ?? $"{channel.Address} is not open yet";

    /// <summary>Gives the channel back.</summary>
    public void Close(TimeSpan now)
    {
        if (IsOpen) Try(now, static channel => channel.Close());
        IsOpen = false;
    }

    private void Fail(TimeSpan now, PwmException e)
    {
        IsOpen = false;
        if (e.IsPending && _denials++ < PermissionAttempts)
        {
            _retryAt = now + PermissionInterval;
            return;
        }
        if (!e.IsPending && !channel.IsThere) channel.Forget();
        _retryAt = now + _delay.Next();
        if (_problem != e.Message) LogProblem(e.Message);
        _problem = e.Message;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}. It is looked for again")]
    private partial void LogProblem(string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} can be used again")]
    private partial void LogBack(PwmAddress address);
}
