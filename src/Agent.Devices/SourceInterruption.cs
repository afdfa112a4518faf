namespace Agent.Devices;

/// <summary>
/// Has a capture thread let go of its source: once, to open it anew; for as long as privacy is on; or for good, at the end. The capture thread begins and rests,
/// the rest is for any thread.
/// </summary>
internal sealed class SourceInterruption : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenSource _current = new();
    private CancellationTokenSource _reopened = new();
    private TaskCompletionSource _resting = NewSignal();
    private bool _isClosed;
    private volatile bool _isStopped;

    /// <summary>Whether the capture thread is to end.</summary>
    public bool IsStopped => _isStopped;

    /// <summary>Whether the source is to be closed and to stay so.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_lock) return _isClosed;
        }
    }

    /// <summary>Any thread: has the source closed, or opened again. False if that is so already.</summary>
    public bool Set(bool isClosed)
    {
        lock (_lock)
        {
            if (_isClosed == isClosed) return false;
            _isClosed = isClosed;
            if (isClosed)
            {
                _current.Cancel();
            }
            else
            {
                _reopened.Cancel();
                _resting = NewSignal();
            }
            return true;
        }
    }

    /// <summary>Any thread: has the source closed once.</summary>
    public void Interrupt()
    {
        lock (_lock) _current.Cancel();
    }

    /// <summary>Any thread: has the source closed for good.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isStopped = true;
            _current.Cancel();
            _reopened.Cancel();
        }
    }

    /// <summary>Any thread: false if the source has not been closed within the limit, or has been opened again.</summary>
    public async Task<bool> WaitUntilClosedAsync(TimeSpan limit, TimeProvider clock, CancellationToken cancellation)
    {
        Task resting;
        lock (_lock)
        {
            if (!_isClosed) return false;
            resting = _resting.Task;
        }
        try
        {
            await resting.WaitAsync(limit, clock, cancellation).ConfigureAwait(false);
            return IsClosed;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Capture thread, before it opens its source: the token that has it let go. False if the source is to stay closed.</summary>
    public bool TryBegin(out CancellationToken interrupted)
    {
        lock (_lock)
        {
            interrupted = default;
            if (_isClosed) return false;
            if (_current.IsCancellationRequested && !_isStopped)
            {
                _current.Dispose();
                _current = new CancellationTokenSource();
            }
            interrupted = _current.Token;
            return true;
        }
    }

    /// <summary>Capture thread: its source is closed; returns when it is to be opened again, or when all is to end.</summary>
    public void Rest()
    {
        CancellationToken reopened;
        lock (_lock)
        {
            if (!_isClosed) return;
            if (_reopened.IsCancellationRequested && !_isStopped)
            {
                _reopened.Dispose();
                _reopened = new CancellationTokenSource();
            }
            reopened = _reopened.Token;
            _resting.TrySetResult();
        }
        reopened.WaitHandle.WaitOne();
    }

    public void Dispose()
    {
        _current.Dispose();
        _reopened.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
