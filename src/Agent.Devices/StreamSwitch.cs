using System.Globalization;
using Agent.Devices.Sources;
using Agent.Media;
using Agent.Media.Notices;

namespace Agent.Devices;

/// <summary>
/// What a camera's viewers are given: its own stream or, while that is away or withheld, a notice in its place. The stream comes back with
/// an IDR, so nobody has to join again. Any thread, if nothing else is said: a lock makes the encoder and the notice's timer one publisher.
/// </summary>
internal sealed class StreamSwitch : IDisposable
{
    /// <summary>Two pictures a second keep decoders and players from taking the stream for dead.</summary>
    internal static readonly TimeSpan RepeatInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>A viewer that joins or has lost a packet is answered within this.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// A notice is stamped when it is made, a picture when it was captured, up to this much before it comes here. A larger step back is
    /// no delay but another clock.
    /// </summary>
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(2);

    /// <summary>What <see cref="Reason"/> says while the camera is off on purpose.</summary>
    internal const string PrivacyReason = "camera is off";

    private static readonly TimeSpan SmallestStep = TimeSpan.FromMilliseconds(1);

    /// <summary>Level 3.1, which every browser offers, for a stream that has said no level.</summary>
    private const byte DefaultLevel = 31;

    private readonly FrameHub _hub;
    private readonly AccessUnitPool _pool;
    private readonly TimeProvider _clock;
    private readonly Lock _lock = new();
    private volatile bool _awaitsKeyFrame = true;
    private bool _isWithheld;
    private volatile string? _reason;
    private NoticePicture? _picture;
    private ITimer? _timer;
    private DateTimeOffset _since;
    private bool _isKeyFrameDue;
    private TimeSpan? _keyFrameAskedAt;
    private TimeSpan _lastAt = TimeSpan.MinValue;
    private TimeSpan _lastNoticeAt = TimeSpan.MinValue;

    public StreamSwitch(FrameHub hub, AccessUnitPool pool, TimeProvider clock)
    {
        _hub = hub;
        _pool = pool;
        _clock = clock;
    }

    /// <summary>Why the notice is shown; <c>null</c> while it is not.</summary>
    public string? Reason => _reason;

    /// <summary>True while what is published is withheld because no IDR has come yet.</summary>
    public bool AwaitsKeyFrame => _awaitsKeyFrame;

    /// <summary>Capture thread: the stream breaks off here; its next pictures are withheld up to an IDR.</summary>
    public void Interrupt()
    {
        lock (_lock) _awaitsKeyFrame = true;
        _keyFrameAskedAt = null;
    }

    /// <summary>Capture thread: true if this picture should become an IDR, since viewers ask for one or one is awaited.</summary>
    public bool TakeKeyFrameRequest(TimeSpan capturedAt)
    {
        // Requests to the hub are the notice's to answer while it is shown.
        if (!_awaitsKeyFrame) return _hub.TakeKeyFrameRequest(capturedAt);
        if (_keyFrameAskedAt is { } last && capturedAt >= last && capturedAt - last < FrameHub.MinimumKeyFrameInterval) return false;
        _keyFrameAskedAt = capturedAt;
        return true;
    }

    /// <summary>An access unit of the camera. False if it was withheld.</summary>
    public bool Publish(AccessUnit accessUnit)
    {
        lock (_lock)
        {
            if (_awaitsKeyFrame)
            {
                if (_isWithheld || !accessUnit.IsKeyFrame) return false;
                _awaitsKeyFrame = false;
                HideNotice();
            }
            var isBehind = accessUnit.CapturedAt <= _lastNoticeAt && _lastNoticeAt - accessUnit.CapturedAt < LongestDelay;
            if (!isBehind)
            {
                _lastAt = accessUnit.CapturedAt;
                _hub.Publish(accessUnit);
                return true;
            }
            // RTP timestamps only grow.
            _lastNoticeAt += SmallestStep;
            _lastAt = _lastNoticeAt;
            var later = _pool.Create(accessUnit.Data.Span, _lastAt);
            _hub.Publish(later);
            later.Release();
            return true;
        }
    }

    /// <summary>Has viewers see a notice until the stream's next IDR.</summary>
    /// <param name="reason">In a few words.</param>
    /// <param name="format">Of the pictures that came last.</param>
    public void ShowNotice(string reason, VideoFormat format)
    {
        lock (_lock)
        {
            if (!_isWithheld) Show("No picture", reason, format.Width, format.Height);
        }
    }

    /// <summary>From the return of this call on viewers get nothing of the camera's but a notice of privacy, and may join to see it.</summary>
    /// <param name="width">Of the pictures that came last, or that will come.</param>
    /// <param name="height">The same.</param>
    public void Withhold(int width, int height)
    {
        lock (_lock)
        {
            if (_isWithheld) return;
            // Whatever was wrong before is not since when privacy has been on.
            HideNotice();
            _isWithheld = true;
            var level = Show("Privacy", PrivacyReason, width, height);
            _hub.StandInProfileLevelId = $"42e0{level:x2}";
        }
    }

    /// <summary>Ends it; the notice changes its words and is shown until the camera's next IDR.</summary>
    public void Release(int width, int height)
    {
        lock (_lock)
        {
            if (!_isWithheld) return;
            _isWithheld = false;
            _hub.StandInProfileLevelId = null;
            HideNotice();
            Show("No picture", "starting", width, height);
        }
    }

    /// <summary>The camera's pictures are back though none of this stream is published: the notice ends, unless it is one of privacy.</summary>
    public void EndNotice()
    {
        lock (_lock)
        {
            if (!_isWithheld) HideNotice();
        }
    }

    public void Dispose()
    {
        lock (_lock) HideNotice();
    }

    private byte Show(string headline, string reason, int width, int height)
    {
        var level = ReadLevel(_hub.LastProfileLevelId);
        _awaitsKeyFrame = true;
        if (_reason == reason) return level;
        if (_reason is null) _since = _clock.GetLocalNow();
        _reason = reason;
        var since = _since.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        _picture = new NoticePicture(MakeSide(width), MakeSide(height), level, new NoticeText(headline, _hub.Camera, reason, $"since {since}"));
        _isKeyFrameDue = true;
        _timer ??= _clock.CreateTimer(static shown => ((StreamSwitch)shown!).Tick(), this, TimeSpan.Zero, TickInterval);
        return level;
    }

    private void HideNotice()
    {
        _timer?.Dispose();
        _timer = null;
        _picture = null;
        _reason = null;
    }

    private void Tick()
    {
        lock (_lock)
        {
            // A tick may have been under way when the notice ended.
            if (_picture is null) return;
            if (_hub.SubscriberCount == 0)
            {
                _isKeyFrameDue = true;
                return;
            }
            var now = Pacer.Now(_clock);
            _isKeyFrameDue |= _hub.TakeKeyFrameRequest(now);
            if (!_isKeyFrameDue && now - _lastNoticeAt < RepeatInterval) return;
            _lastNoticeAt = now > _lastAt ? now : _lastAt + SmallestStep;
            _lastAt = _lastNoticeAt;
            var accessUnit = _pool.Create(_isKeyFrameDue ? _picture.KeyFrame() : _picture.Repeat(), _lastAt);
            _isKeyFrameDue = false;
            _hub.PublishNotice(accessUnit);
            accessUnit.Release();
        }
    }

    /// <summary>4:2:0 has even sides.</summary>
    private static int MakeSide(int length) => Math.Clamp((length + 1) & ~1, NoticePicture.MinimumSide, NoticePicture.MaximumSide);

    /// <summary>level_idc is the last byte of a profile-level-id (RFC 6184 §8.1).</summary>
    private static byte ReadLevel(string? profileLevelId) =>
        profileLevelId is { Length: 6 } && byte.TryParse(profileLevelId.AsSpan(4), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var level)
            ? level : DefaultLevel;
}
