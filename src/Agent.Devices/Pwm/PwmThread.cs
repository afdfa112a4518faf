using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Pwm;

/// <summary>
/// The one owner of everything on PWM channels, a thread. Commands reach it by a bounded queue; one that finds it full is refused, and
/// counted. It sleeps while nothing moves.
/// </summary>
public sealed partial class PwmThread : IDisposable
{
    internal const int QueueCapacity = 64;

    private readonly PwmDevice[] _devices;
    private readonly TimeSpan[] _due;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly long _started;
    private readonly BlockingCollection<Command> _queue = new(QueueCapacity);
    private readonly Thread _thread;
    private long _refused;

    /// <summary>Operates nothing before <see cref="Start"/>.</summary>
    /// <param name="devices">From now on this thread's.</param>
    /// <param name="clock">Paces them.</param>
    /// <param name="loggers">For bugs.</param>
    public PwmThread(IEnumerable<PwmDevice> devices, TimeProvider clock, ILoggerFactory loggers)
    {
        (_devices, _clock, _log) = ([.. devices], clock, loggers.CreateLogger<PwmThread>());
        _due = new TimeSpan[_devices.Length];
        _started = clock.GetTimestamp();
        _thread = new Thread(Run) { Name = "pwm", IsBackground = true };
    }

    private readonly record struct Command(PwmDevice Device, Func<TimeSpan, string?> Run, TaskCompletionSource<string?> Done);

    /// <summary>Commands refused because the queue was full.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Opens the channels and goes on from there.</summary>
    public void Start() => _thread.Start();

    /// <summary>Has a device do something on its thread.</summary>
    /// <param name="device">Which.</param>
    /// <param name="run">What; gets the time, returns why it could not be done.</param>
    /// <returns>What <paramref name="run"/> returned, or why it was not called.</returns>
    public Task<string?> DoAsync(PwmDevice device, Func<TimeSpan, string?> run)
    {
        var command = new Command(device, run, new(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            if (_queue.TryAdd(command)) return command.Done.Task;
        }
        catch (InvalidOperationException)
        {
            return Task.FromResult<string?>("the agent is stopping");
        }
        Interlocked.Increment(ref _refused);
        return Task.FromResult<string?>($"{QueueCapacity} commands are waiting already; try again later");
    }

    /// <summary>Leaves the outputs as they are to be without the agent, and ends the thread.</summary>
    public void Dispose()
    {
        _queue.CompleteAdding();
        if (_thread.IsAlive) _thread.Join();
        while (_queue.TryTake(out var command)) command.Done.TrySetResult("the agent is stopping");
        _queue.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_queue.IsAddingCompleted)
            {
                if (!_queue.TryTake(out var command, Advance())) continue;
                command.Done.TrySetResult(command.Run(Now));
                _due[Array.IndexOf(_devices, command.Device)] = TimeSpan.Zero;
            }
            foreach (var device in _devices) device.Stop(Now);
        }
        catch (Exception bug)
        {
            // The thread has no caller to throw to, and the cameras can go on without it.
            LogBroken(bug);
            _queue.CompleteAdding();
        }
    }

    private TimeSpan Now => _clock.GetElapsedTime(_started);

    /// <summary>Has every device do what is due; returns the milliseconds until the next is, rounded up.</summary>
    private int Advance()
    {
        var next = TimeSpan.MaxValue;
        for (var i = 0; i < _devices.Length; i++)
        {
            var now = Now;
            if (_due[i] <= now) _due[i] = now + _devices[i].Advance(now);
            if (_due[i] < next) next = _due[i];
        }
        return (int)Math.Ceiling(Math.Max(0, (next - Now).TotalMilliseconds));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What is on PWM channels is not operated any more: this is a bug")]
    private partial void LogBroken(Exception bug);
}
