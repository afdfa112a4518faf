using System.Threading.Channels;
using Agent.Interop.Gpio;
using Agent.Interop.Libc;
using Microsoft.Extensions.Logging;

namespace Agent.Devices.Peripherals;

/// <summary>
/// The one owner of a set of peripherals, a thread. Commands reach it by a bounded queue and an eventfd; one that finds the queue full
/// is refused, and counted. It sleeps while nothing changes.
/// </summary>
public sealed partial class PeripheralThread : IDisposable
{
    internal const int QueueCapacity = 64;

    private const string Stopping = "the agent is stopping";

    private readonly Peripheral[] _peripherals;
    private readonly TimeSpan[] _due;
    private readonly List<int> _polled = [];
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Channel<Command> _commands = Channel.CreateBounded<Command>(
        new BoundedChannelOptions(QueueCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly EventFd _wake = new();
    private readonly GpioPoller _poller;
    private readonly Thread _thread;
    private volatile bool _isStopping;
    private long _refused;

    /// <summary>Touches nothing before <see cref="Start"/>.</summary>
    /// <param name="peripherals">From now on this thread's.</param>
    /// <param name="name">The thread's, and in the log.</param>
    /// <param name="clock">Its timestamps are CLOCK_MONOTONIC, as the system's are.</param>
    /// <param name="loggers">For bugs.</param>
    public PeripheralThread(IEnumerable<Peripheral> peripherals, string name, TimeProvider clock, ILoggerFactory loggers)
    {
        (_peripherals, _clock, _log) = ([.. peripherals], clock, loggers.CreateLogger<PeripheralThread>());
        _due = new TimeSpan[_peripherals.Length];
        _poller = new GpioPoller(_wake);
        _thread = new Thread(Run) { Name = name, IsBackground = true };
    }

    private readonly record struct Command(Peripheral Peripheral, Func<TimeSpan, string?> Run, TaskCompletionSource<string?> Done);

    /// <summary>Commands refused because the queue was full.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>Opens lines and channels and goes on from there.</summary>
    public void Start() => _thread.Start();

    /// <summary>Has a peripheral do something on its thread.</summary>
    /// <param name="peripheral">Which.</param>
    /// <param name="run">What; gets the time, returns why it could not be done.</param>
    /// <returns>What <paramref name="run"/> returned, or why it was not called.</returns>
    public Task<string?> DoAsync(Peripheral peripheral, Func<TimeSpan, string?> run)
    {
        var command = new Command(peripheral, run, new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (_isStopping) return Task.FromResult<string?>(Stopping);
        if (!_commands.Writer.TryWrite(command))
        {
            if (_isStopping) return Task.FromResult<string?>(Stopping);
            Interlocked.Increment(ref _refused);
            return Task.FromResult<string?>($"{QueueCapacity} commands are waiting already; try again later");
        }
        Wake();
        return command.Done.Task;
    }

    /// <summary>Leaves lines and channels as they are to be without the agent, and ends the thread.</summary>
    public void Dispose()
    {
        Close();
        Wake();
        if (_thread.IsAlive) _thread.Join();
        while (_commands.Reader.TryRead(out var command)) command.Done.TrySetResult(Stopping);
        _wake.Dispose();
    }

    private void Close()
    {
        _isStopping = true;
        _commands.Writer.TryComplete();
    }

    private void Wake()
    {
        try
        {
            _wake.Signal();
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                var wait = Advance();
                _poller.Clear();
                _polled.Clear();
                for (var i = 0; i < _peripherals.Length; i++)
                {
                    if (_peripherals[i].TryAddTo(_poller)) _polled.Add(i);
                }
                _poller.Wait(wait);
                for (var line = 0; line < _polled.Count; line++)
                {
                    if (!_poller.IsReady(line)) continue;
                    _peripherals[_polled[line]].Read(Now);
                    _due[_polled[line]] = TimeSpan.Zero;
                }
                RunCommands();
            }
            foreach (var peripheral in _peripherals) peripheral.Stop(Now);
        }
        catch (Exception bug)
        {
            // The thread has no caller to throw to, and the cameras can go on without it.
            LogBroken(_thread.Name, bug);
            Close();
        }
    }

    private TimeSpan Now => _clock.GetElapsedTime(0);

    private void RunCommands()
    {
        for (var i = 0; i < QueueCapacity && _commands.Reader.TryRead(out var command); i++)
        {
            command.Done.TrySetResult(command.Run(Now));
            _due[Array.IndexOf(_peripherals, command.Peripheral)] = TimeSpan.Zero;
        }
        if (_commands.Reader.TryPeek(out _)) Wake();
    }

    /// <summary>Has every peripheral do what is due; returns the time until the next is.</summary>
    private TimeSpan Advance()
    {
        var next = TimeSpan.MaxValue;
        for (var i = 0; i < _peripherals.Length; i++)
        {
            var now = Now;
            if (_due[i] <= now) _due[i] = now + _peripherals[i].Advance(now);
            if (_due[i] < next) next = _due[i];
        }
        var wait = next - Now;
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What is on {Thread} is not operated any more: this is a bug")]
    private partial void LogBroken(string? thread, Exception bug);
}
