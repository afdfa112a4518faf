namespace Agent.Media;

/// <summary>Takes a camera's access units on the encoder's thread. Must return at once and never throw; takes its own reference.</summary>
public interface IAccessUnitSubscriber
{
    void OnAccessUnit(FrameHub hub, AccessUnit accessUnit);
}

/// <summary>
/// The point where one camera's encoded stream meets everything that consumes it. Access units are published one at a time; any thread
/// subscribes and asks for keyframes. Requests are coalesced and rate-limited.
/// </summary>
public sealed class FrameHub
{
    /// <summary>
    /// Least distance between IDRs made on request. Several viewers' requests after one loss fall into it, and an IDR larger than the
    /// pictures around it is not followed by another while it is still on its way.
    /// </summary>
    public static readonly TimeSpan MinimumKeyFrameInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>A camera that has delivered nothing for this long produces nothing: several frames of the slowest usual rate.</summary>
    public static readonly TimeSpan ProducingTimeout = TimeSpan.FromSeconds(3);

    /// <summary><see cref="BitrateLimit"/> while there is none.</summary>
    public const int NoBitrateLimit = int.MaxValue;

    private const long NeverProduced = long.MinValue;
    private const long NoKeyFrame = long.MinValue;

    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private volatile IAccessUnitSubscriber[] _subscribers = [];
    private volatile bool _keyFrameRequested;
    private volatile int _bitrateLimit = NoBitrateLimit;
    private volatile int _bitrateCeiling = NoBitrateLimit;
    private volatile int _bitrateFloor;
    private volatile int _viewers;
    private volatile FrameHub? _smallLayer;
    private volatile string? _profileLevelId;
    private volatile string? _standInProfileLevelId;
    private uint _profileLevelBytes;
    private long _lastKeyFrameTicks = NoKeyFrame;
    private long _lastFrame = NeverProduced;
    private long _lastCapturedAt;

    /// <param name="camera">The camera's name.</param>
    /// <param name="clock">Tells how long ago the last frame came; the machine's by default.</param>
    /// <param name="layer">Which of its streams this is.</param>
    public FrameHub(string camera, TimeProvider? clock = null, string layer = "main")
    {
        (Camera, Layer) = (camera, layer);
        _clock = clock ?? TimeProvider.System;
    }

    public string Camera { get; }

    /// <summary>"main", or "small" for the one that viewers with thin links are given.</summary>
    public string Layer { get; }

    /// <summary>
    /// profile-level-id of the stream (six hex digits, RFC 6184 §8.1): from the last SPS, before the first one from the encoder's
    /// settings; <c>null</c> while the camera produces nothing.
    /// </summary>
    public string? ProfileLevelId => IsProducing ? _profileLevelId : null;

    /// <summary>The same, also while the camera produces nothing; <c>null</c> before it first did.</summary>
    public string? LastProfileLevelId => _profileLevelId;

    /// <summary>
    /// profile-level-id for viewers that join while the camera is off on purpose and a picture stands in for its own; otherwise <c>null</c>.
    /// </summary>
    public string? StandInProfileLevelId
    {
        get => _standInProfileLevelId;
        set => _standInProfileLevelId = value;
    }

    /// <summary>True while frames keep coming.</summary>
    public bool IsProducing
    {
        get
        {
            var last = Interlocked.Read(ref _lastFrame);
            return last != NeverProduced && _clock.GetElapsedTime(last) < ProducingTimeout;
        }
    }

    /// <summary>When the newest picture was captured, on the clock of <see cref="AccessUnit.CapturedAt"/>; zero before the first.</summary>
    public TimeSpan LastCapturedAt => new(Interlocked.Read(ref _lastCapturedAt));

    public int SubscriberCount => _subscribers.Length;

    /// <summary>What the viewers' links allow, bit/s; set by whoever knows them, kept to by the encoder.</summary>
    public int BitrateLimit
    {
        get => _bitrateLimit;
        set => _bitrateLimit = value;
    }

    /// <summary>What the stream takes if nothing limits it, bit/s; set by the camera.</summary>
    public int BitrateCeiling
    {
        get => _bitrateCeiling;
        set => _bitrateCeiling = value;
    }

    /// <summary>What the encoder is to make, bit/s: the target, or less where the viewers' links carry less, but no less than the minimum.</summary>
    public int LimitBitrate(int minimum, int target) => Math.Clamp(BitrateLimit, Math.Min(minimum, target), target);

    /// <summary>Below this, in bit/s, the stream is not worth its size, or is not made at all; set by the camera.</summary>
    public int BitrateFloor
    {
        get => _bitrateFloor;
        set => _bitrateFloor = value;
    }

    /// <summary>The same pictures smaller, for viewers with thin links, made while it is subscribed to; <c>null</c> while there is none. Set by the camera.</summary>
    public FrameHub? SmallLayer
    {
        get => _smallLayer;
        set => _smallLayer = value;
    }

    /// <summary>Who is shown this stream, for the status; set by whoever serves them.</summary>
    public int Viewers
    {
        get => _viewers;
        set => _viewers = value;
    }

    /// <summary>When the newest IDR was captured or asked for, on the clock of <see cref="AccessUnit.CapturedAt"/>; <c>null</c> before the first.</summary>
    public TimeSpan? LastKeyFrameAt => Interlocked.Read(ref _lastKeyFrameTicks) is var ticks && ticks == NoKeyFrame ? null : new TimeSpan(ticks);

    /// <summary>The subscriber gets every access unit from now on, and the next picture becomes an IDR.</summary>
    public void Subscribe(IAccessUnitSubscriber subscriber)
    {
        lock (_lock) _subscribers = [.. _subscribers, subscriber];
        RequestKeyFrame();
    }

    /// <summary>After this returns, at most the access unit that is being published right now still arrives.</summary>
    public void Unsubscribe(IAccessUnitSubscriber subscriber)
    {
        lock (_lock) _subscribers = [.. _subscribers.Where(other => !ReferenceEquals(other, subscriber))];
    }

    /// <summary>Any thread: the next picture should be an IDR.</summary>
    public void RequestKeyFrame() => _keyFrameRequested = true;

    /// <summary>Any thread: true at most once per minimum interval while a request is pending; clears it.</summary>
    /// <param name="now">An instant on the clock that <see cref="AccessUnit.CapturedAt"/> is on.</param>
    public bool TakeKeyFrameRequest(TimeSpan now)
    {
        if (!_keyFrameRequested) return false;
        var last = Interlocked.Read(ref _lastKeyFrameTicks);
        // A camera that is opened again may count from an earlier instant: that must not hold requests back until it has caught up.
        if (last != NoKeyFrame && now.Ticks >= last && now.Ticks - last < MinimumKeyFrameInterval.Ticks) return false;
        _keyFrameRequested = false;
        Interlocked.Exchange(ref _lastKeyFrameTicks, now.Ticks);
        return true;
    }

    /// <summary>Capture thread: a frame has come, whether or not anyone wants it encoded.</summary>
    public void NoteFrame() => Interlocked.Exchange(ref _lastFrame, _clock.GetTimestamp());

    /// <summary>Any thread: the source has failed; nothing is produced until the next frame.</summary>
    public void NoteStopped() => Interlocked.Exchange(ref _lastFrame, NeverProduced);

    /// <summary>Capture thread: what the encoder says its SPS will be, until one has been published.</summary>
    /// <param name="profileLevelId">Six hex digits.</param>
    public void SetProfileLevelId(string profileLevelId)
    {
        _profileLevelId = profileLevelId;
        _profileLevelBytes = 0;
    }

    /// <summary>One thread at a time: hands the access unit to every subscriber; the caller keeps its own reference.</summary>
    public void Publish(AccessUnit accessUnit)
    {
        NoteFrame();
        Interlocked.Exchange(ref _lastCapturedAt, accessUnit.CapturedAt.Ticks);
        if (accessUnit.IsKeyFrame) ReadProfile(accessUnit.FindNalUnit(NalUnitType.SequenceParameterSet));
        Deliver(accessUnit);
    }

    /// <summary>The same for a picture that stands in for the camera's: nothing is produced by it.</summary>
    public void PublishNotice(AccessUnit accessUnit) => Deliver(accessUnit);

    private void Deliver(AccessUnit accessUnit)
    {
        if (accessUnit.IsKeyFrame)
        {
            // Cleared before the subscribers are read: one that joins in between keeps its request and so gets an IDR of its own.
            _keyFrameRequested = false;
            Interlocked.Exchange(ref _lastKeyFrameTicks, accessUnit.CapturedAt.Ticks);
        }
        foreach (var subscriber in _subscribers) subscriber.OnAccessUnit(this, accessUnit);
    }

    private void ReadProfile(ReadOnlySpan<byte> nalUnit)
    {
        if (!SpsReader.TryRead(nalUnit, out var sps)) return;
        var bytes = (uint)(sps.ProfileIdc << 16 | sps.ConstraintFlags << 8 | sps.LevelIdc);
        if (bytes == _profileLevelBytes) return;
        _profileLevelBytes = bytes;
        _profileLevelId = sps.ProfileLevelId;
    }
}
