using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>Looks at a camera's frames before they are encoded.</summary>
public interface IRawFrameSubscriber
{
    /// <summary>The shortest time between two frames that it wants; zero for every frame.</summary>
    TimeSpan Interval { get; }

    /// <summary>On the capture thread: must return at once, never throw, and copy what it needs, since the frame goes back afterwards.</summary>
    void OnFrame(CapturedFrame frame);
}

/// <summary>
/// Where frames can be looked at on their way to the encoder: snapshots, motion. Costs one comparison per frame while nobody listens.
/// </summary>
public sealed class RawFrameTap
{
    private readonly Lock _lock = new();
    private volatile Listener[] _listeners = [];

    /// <summary>Whether anybody listens.</summary>
    public bool HasListeners => _listeners.Length > 0;

    /// <summary>Any thread: the subscriber gets frames from now on.</summary>
    public void Subscribe(IRawFrameSubscriber subscriber)
    {
        lock (_lock) _listeners = [.. _listeners, new Listener(subscriber)];
    }

    /// <summary>Any thread: after this returns, at most the frame that is being shown right now still arrives.</summary>
    public void Unsubscribe(IRawFrameSubscriber subscriber)
    {
        lock (_lock) _listeners = [.. _listeners.Where(listener => !ReferenceEquals(listener.Subscriber, subscriber))];
    }

    /// <summary>Capture thread: shows the frame to those whose interval has passed.</summary>
    internal void Offer(CapturedFrame frame)
    {
        foreach (var listener in _listeners)
        {
            if (!listener.IsDue(frame.CapturedAt)) continue;
            listener.Subscriber.OnFrame(frame);
        }
    }

    private sealed class Listener(IRawFrameSubscriber subscriber)
    {
        private TimeSpan? _last;

        public IRawFrameSubscriber Subscriber => subscriber;

        public bool IsDue(TimeSpan now)
        {
            // A source that was opened again may count from an earlier instant.
            if (_last is { } last && now >= last && now - last < subscriber.Interval) return false;
            _last = now;
            return true;
        }
    }
}
