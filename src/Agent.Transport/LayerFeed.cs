using Agent.Media;
using Agent.Rtc;
using Agent.Rtc.Rtp;

namespace Agent.Transport;

/// <summary>
/// One of a camera's streams on its way into the media loop: one subscription however many viewers it has, and a bounded queue between the
/// encoder's thread and the loop's. Drop policy: when the queue is full, everything up to the next IDR is dropped and counted, and an IDR is asked for; an IDR
/// itself displaces what is queued.
/// </summary>
internal sealed class LayerFeed : IAccessUnitSubscriber
{
    /// <summary>A quarter of a second at 30 frames a second: more would be latency, not safety.</summary>
    internal const int QueueCapacity = 8;

    private const int ClockRateKhz = 90; // RFC 6184 §8.2.1

    private readonly Lock _lock = new();
    private readonly Queue<AccessUnit> _queue = new(QueueCapacity);
    private readonly Action _wake;
    private readonly H264Packetizer _packetizer = new(H264Packetizer.DefaultMaximumPayloadSize);
    private int _users;
    private bool _isSubscribed;
    private bool _needsKeyFrame;
    private long _dropped;

    internal LayerFeed(FrameHub hub, TransportOptions options, Action wake)
    {
        Bitrate = new BitrateFollower(hub, options);
        Hub = hub;
        _wake = wake;
    }

    internal FrameHub Hub { get; }

    internal BitrateFollower Bitrate { get; }

    /// <summary>Any thread: access units dropped because the loop was behind.</summary>
    internal long Dropped => Interlocked.Read(ref _dropped);

    public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit)
    {
        lock (_lock)
        {
            if (!_isSubscribed)
                return;
            if (accessUnit.IsKeyFrame)
            {
                _needsKeyFrame = false;
                if (_queue.Count == QueueCapacity)
                    DropQueued();
            }
            else if (_needsKeyFrame || _queue.Count == QueueCapacity)
            {
                _needsKeyFrame = true;
                Interlocked.Increment(ref _dropped);
                Hub.RequestKeyFrame();
                return;
            }

            accessUnit.AddReference();
            _queue.Enqueue(accessUnit);

            // Under the lock: once Unsubscribe has had it, the loop may end and take what wakes it along.
            _wake();
        }
    }

    /// <summary>The loop's: the next access unit, cut into RTP payloads once for all viewers; the caller releases it.</summary>
    internal bool TryTakeFrame(out PacketizedFrame? frame)
    {
        AccessUnit? accessUnit;
        lock (_lock)
        {
            if (!_queue.TryDequeue(out accessUnit))
            {
                frame = null;
                return false;
            }
        }

        try
        {
            var rtpTimestamp = (uint)(accessUnit.CapturedAt.Ticks * ClockRateKhz / TimeSpan.TicksPerMillisecond);
            frame = _packetizer.Packetize(
                accessUnit.Data.Span, accessUnit.NalUnits, accessUnit.IsKeyFrame, rtpTimestamp, MonotonicTime.From(accessUnit.CapturedAt));
            return true;
        }
        finally
        {
            accessUnit.Release();
        }
    }

    /// <summary>The loop's: one more viewer gets it, or is about to. The first makes the camera encode it, at the bitrate set before.</summary>
    internal void Hold()
    {
        if (++_users == 1)
            Subscribe();
    }

    /// <summary>The loop's: one viewer less; without any the camera need not encode it.</summary>
    internal void Release()
    {
        if (--_users > 0)
            return;
        Unsubscribe();
        Bitrate.Reset();
    }

    private void Subscribe()
    {
        lock (_lock)
        {
            _isSubscribed = true;
            _needsKeyFrame = false;
        }

        Hub.Subscribe(this);
    }

    /// <summary>What the hub is publishing meanwhile is not taken any more.</summary>
    private void Unsubscribe()
    {
        Hub.Unsubscribe(this);
        lock (_lock)
        {
            _isSubscribed = false;
            while (_queue.TryDequeue(out var accessUnit))
                accessUnit.Release();
        }
    }

    private void DropQueued()
    {
        Interlocked.Add(ref _dropped, _queue.Count);
        while (_queue.TryDequeue(out var accessUnit))
            accessUnit.Release();
    }
}
