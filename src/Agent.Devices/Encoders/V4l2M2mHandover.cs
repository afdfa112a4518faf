using Agent.Devices.Sources;

namespace Agent.Devices.Encoders;

/// <summary>
/// Hands frames from the capture thread to the encoder's. At most so many are on their way at once, waiting here or being read by the
/// encoder; of more, the newest is refused. Thread-safe.
/// </summary>
internal sealed class V4l2M2mHandover(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<(CapturedFrame Frame, bool ForceKeyFrame)> _waiting = new(capacity);
    private int _onTheirWay;
    private bool _isClosed;

    /// <summary>False if too many are on their way, or nobody takes them any more: the frame is still the caller's.</summary>
    public bool TryOffer(CapturedFrame frame, bool forceKeyFrame)
    {
        lock (_lock)
        {
            if (_isClosed || _onTheirWay == capacity) return false;
            _onTheirWay++;
            _waiting.Enqueue((frame, forceKeyFrame));
            return true;
        }
    }

    /// <summary>Takes the oldest that waits; <see cref="Finish"/> follows when it has been read.</summary>
    public bool TryTake(out CapturedFrame? frame, out bool forceKeyFrame)
    {
        lock (_lock)
        {
            var taken = _waiting.TryDequeue(out var next);
            (frame, forceKeyFrame) = next;
            return taken;
        }
    }

    /// <summary>Frames that were taken have been read.</summary>
    public void Finish(int count)
    {
        lock (_lock) _onTheirWay -= count;
    }

    /// <summary>Refuses all further frames and gives those back that wait.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            while (_waiting.TryDequeue(out var next)) next.Frame.Dispose();
        }
    }
}
