using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;
using Microsoft.Extensions.Logging;

namespace Agent.Devices;

/// <summary>
/// A camera's smaller stream for viewers with thin links. While it is subscribed to, the capture thread makes each frame small, and a thread of its
/// own encodes it, so that the main stream waits for nothing. Otherwise no encoder is open and no frame is looked at. At most one picture waits:
/// newest wins, and what no memory is free for is left out and counted.
/// </summary>
internal sealed partial class SmallLayer : IDisposable
{
    /// <summary>One being filled, one that waits, two inside an encoder with a thread of its own.</summary>
    private const int PictureCount = 4;

    /// <summary>A smaller picture needs more bits for each pixel: what a stream takes grows with about this power of its pixels.</summary>
    private const double BitrateExponent = 0.75;

    private const long NotFailed = long.MinValue;
    private const int BitsPerByte = 8;

    /// <summary>An encoder that has failed is tried again after this, or when the camera is opened anew.</summary>
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromMinutes(1);

    private readonly FrameHub _main;
    private readonly VideoEncoderOptions _options;
    private readonly int _divisor;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly AccessUnitPool _pool = new();
    private readonly StreamSwitch _stream;
    private readonly EncoderLadder _ladder;
    private readonly EncoderStage _encoders;
    private readonly RateMeter _frames = new();
    private readonly RateMeter _bits = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Lock _lock = new();
    private Thread? _thread;
    private volatile bool _isStopped;

    // Under the lock.
    private SmallPicture? _waiting;
    private string _source = "";
    private VideoEncoderKind _kind;
    private bool _startsOver;

    // The capture thread's own.
    private SmallPicture[] _pictures = [];
    private VideoFormat _format;
    private VideoFormat? _small;

    // The encoding thread's own.
    private JpegPictureDecoder? _decoder;
    private bool _isOpen;

    private volatile int _width;
    private volatile int _height;
    private volatile bool _wantsRest;
    private long _failedAt = NotFailed;
    private long _skipped;

    /// <param name="options">The camera's; its small layer is not off.</param>
    /// <param name="main">The camera's own stream.</param>
    /// <param name="encoders">Every encoder, best first.</param>
    /// <param name="clock">For notices, and when an encoder is tried again.</param>
    /// <param name="log">Where to report.</param>
    public SmallLayer(CameraOptions options, FrameHub main, IReadOnlyList<EncoderRung> encoders, TimeProvider clock, ILogger log)
    {
        (_main, _options, _clock, _log) = (main, options.Encoder, clock, log);
        _divisor = options.SmallLayer == SmallLayerSize.Quarter ? 4 : 2;
        _kind = options.Encoder.Kind;
        Hub = new FrameHub(options.Name, clock, layer: "small");
        _stream = new StreamSwitch(Hub, _pool, clock);
        _ladder = new EncoderLadder(options.Encoder, encoders);
        _encoders = new EncoderStage(Hub, _ladder, _stream, _pool, Publish, clock, log, $"{options.Name}, small layer", showsNotice: false);
        SetBitrate(options.Encoder.BitrateBps);
    }

    public FrameHub Hub { get; }

    /// <summary>Any thread.</summary>
    public LayerStatus Status
    {
        get
        {
            var now = Pacer.Now(_clock);
            return new LayerStatus(
                Hub.Layer, _encoders.Name, _width, _height, _frames.PerSecond(now), (long)_bits.PerSecond(now), AdaptedBitrate, Hub.Viewers,
                Interlocked.Read(ref _skipped));
        }
    }

    private int AdaptedBitrate => Hub.LimitBitrate(Share(_options.MinimumBitrateBps), Hub.BitrateCeiling);

    /// <summary>Any thread: the main stream's target has changed, bit/s.</summary>
    public void SetBitrate(int mainBitsPerSecond) => Hub.BitrateCeiling = Share(mainBitsPerSecond);

    /// <summary>Capture thread: whether such frames can be made a smaller stream of at present.</summary>
    public bool Serves(VideoFormat format)
    {
        if (Interlocked.Read(ref _failedAt) is var failedAt && failedAt != NotFailed && _clock.GetElapsedTime(failedAt) < s_retryAfter) return false;
        if (format != _format) Follow(format);
        return _small is not null;
    }

    /// <summary>Capture thread: a frame that it <see cref="Serves"/>, which remains the caller's.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="source">Where it comes from, for the log.</param>
    public void Offer(CapturedFrame frame, string source)
    {
        if (Hub.SubscriberCount == 0)
        {
            // Nobody has waited for its end, and who comes next shall see the picture.
            if (_stream.Reason is not null) _stream.EndNotice();
            Rest();
            return;
        }
        _wantsRest = false;
        if (_pictures.Length == 0) _pictures = CreatePictures();
        if (FindFree() is not { } picture)
        {
            Interlocked.Increment(ref _skipped);
            return;
        }
        picture.Take(frame);
        lock (_lock)
        {
            if (_waiting is not null) Interlocked.Increment(ref _skipped);
            _waiting?.Discard();
            (_waiting, _source) = (picture, source);
        }
        if (_thread is null)
        {
            _thread = new Thread(Run) { Name = $"small {Hub.Camera}", IsBackground = true };
            _thread.Start();
        }
        _wake.Set();
    }

    /// <summary>Capture thread: nobody is to be given it any more for now, so its encoder is closed.</summary>
    public void Rest()
    {
        if (_wantsRest || _thread is null) return;
        _wantsRest = true;
        _pictures = [];
        _wake.Set();
    }

    /// <summary>Capture thread: the source is closed; what is opened next may be another, with another kind of encoder.</summary>
    public void StartOver(VideoEncoderKind kind)
    {
        lock (_lock)
        {
            _waiting?.Discard();
            (_waiting, _startsOver, _kind) = (null, true, kind);
        }
        Interlocked.Exchange(ref _failedAt, NotFailed);
        _wake.Set();
    }

    /// <inheritdoc cref="StreamSwitch.Withhold"/>
    public void Withhold(int width, int height) => _stream.Withhold(width / _divisor, height / _divisor);

    /// <inheritdoc cref="StreamSwitch.Release"/>
    public void Release(int width, int height) => _stream.Release(width / _divisor, height / _divisor);

    /// <inheritdoc cref="StreamSwitch.ShowNotice"/>
    public void ShowNotice(string reason, VideoFormat format) =>
        _stream.ShowNotice(reason, format with { Width = format.Width / _divisor, Height = format.Height / _divisor });

    public void Dispose()
    {
        _isStopped = true;
        _wake.Set();
        _thread?.Join();
        _stream.Dispose();
        _wake.Dispose();
    }

    private void Follow(VideoFormat format)
    {
        _format = format;
        _small = SmallPicture.GetFormat(format, _divisor);
        // Not to be used again: an encoder may still read them.
        _pictures = [];
        (_width, _height) = _small is { } made ? (made.Width, made.Height) : (0, 0);
    }

    private SmallPicture[] CreatePictures() => [.. Enumerable.Range(0, PictureCount).Select(_ => new SmallPicture(_format, _divisor))];

    private SmallPicture? FindFree()
    {
        foreach (var picture in _pictures)
        {
            if (picture.IsFree) return picture;
        }
        return null;
    }

    private int Share(int mainBitsPerSecond) => (int)(mainBitsPerSecond / Math.Pow(_divisor * _divisor, BitrateExponent));

    private void Run()
    {
        while (!_isStopped)
        {
            _wake.WaitOne();
            Work();
        }
        Close();
        _decoder?.Dispose();
    }

    private void Work()
    {
        SmallPicture? picture;
        string source;
        bool startsOver;
        lock (_lock)
        {
            (picture, source, startsOver) = (_waiting, _source, _startsOver);
            (_waiting, _startsOver) = (null, false);
        }
        if (startsOver)
        {
            Close();
            _ladder.Use(_kind);
            _encoders.StartOver();
        }
        if (_wantsRest || _isStopped)
        {
            picture?.Discard();
            Close();
        }
        else if (picture is not null)
        {
            Encode(picture, source);
        }
    }

    private void Encode(SmallPicture picture, string source)
    {
        try
        {
            if (picture.Finish(ref _decoder) is not { } frame)
            {
                Interlocked.Increment(ref _skipped);
                return;
            }
            _isOpen = true;
            _encoders.Take(frame, source, AdaptedBitrate);
            if (_encoders.Error is not null && _encoders.Name is null) Fail();
        }
        catch (DllNotFoundException e)
        {
            picture.Discard();
            LogUnfit(Hub.Camera, e.Message);
            Fail();
        }
    }

    private void Close()
    {
        if (!_isOpen) return;
        _isOpen = false;
        _encoders.Close();
        _stream.Interrupt();
    }

    /// <summary>Its viewers go back to the main stream.</summary>
    private void Fail()
    {
        Close();
        _encoders.StartOver();
        Interlocked.Exchange(ref _failedAt, _clock.GetTimestamp());
    }

    /// <summary>The encoder's thread.</summary>
    private void Publish(AccessUnit accessUnit)
    {
        // Viewers have agreed to the main stream's profile and level.
        if (accessUnit.IsKeyFrame && !IsWithin(_main.LastProfileLevelId, Hub.LastProfileLevelId))
        {
            LogUnfit(Hub.Camera, $"its encoder makes {Hub.LastProfileLevelId}, and viewers have agreed to {_main.LastProfileLevelId}");
            Interlocked.Exchange(ref _failedAt, _clock.GetTimestamp());
            return;
        }
        if (!_stream.Publish(accessUnit)) return;
        _frames.Add(accessUnit.CapturedAt, 1);
        _bits.Add(accessUnit.CapturedAt, (long)accessUnit.Data.Length * BitsPerByte);
    }

    /// <summary>Whether whoever decodes one profile-level-id (RFC 6184 §8.1) decodes the other: the same profile, no higher level.</summary>
    private static bool IsWithin(string? agreed, string? made) =>
        agreed is null || made is null
        || (agreed.AsSpan(0, 4).SequenceEqual(made.AsSpan(0, 4)) && string.CompareOrdinal(made, 4, agreed, 4, 2) <= 0);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: no small layer for thin links: {Reason}")]
    private partial void LogUnfit(string camera, string reason);
}
