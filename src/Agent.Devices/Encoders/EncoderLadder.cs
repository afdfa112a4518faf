using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>What becomes of an encoder that has failed at work.</summary>
internal enum EncoderFailureOutcome
{
    /// <summary>The same is opened again.</summary>
    TryAgain,
    /// <summary>It has failed again and again: the next one takes its place.</summary>
    SteppedDown,
    /// <summary>The same, and there is no other: the first is to be opened again after a while.</summary>
    NoneLeft,
}

/// <summary>
/// One camera's encoders, best first, under its own H.264. Tells the source what is wanted before it is opened, opens the first encoder that
/// serves, and steps down from one that refuses or fails again and again until <see cref="StartOver"/>. The capture thread's own.
/// </summary>
internal sealed class EncoderLadder
{
    /// <summary>A device that fails once has had an accident; one that fails again within this is broken.</summary>
    internal static readonly TimeSpan FailureWindow = TimeSpan.FromSeconds(30);

    /// <summary>What a source's own H.264 is called.</summary>
    internal const string Passthrough = "passthrough";

    private readonly IReadOnlyList<EncoderRung> _all;
    private VideoEncoderOptions _options;
    private EncoderRung[] _rungs = [];
    private string?[] _given = [];
    private int _current;
    private TimeSpan? _lastFailure;
    private IReadOnlyList<PixelFormat>? _readInPlace;

    /// <param name="options">Which encoder, and its settings.</param>
    /// <param name="rungs">Every encoder, best first.</param>
    public EncoderLadder(VideoEncoderOptions options, IReadOnlyList<EncoderRung> rungs)
    {
        (_options, _all) = (options, rungs);
        Climb();
    }

    /// <summary>Why what stands above the open encoder does not serve, each with its name.</summary>
    public IReadOnlyList<string> PassedOver
    {
        get
        {
            if (_options.Kind != VideoEncoderKind.Auto) return [];
            var above = _rungs.Take(_current).Zip(_given, static (rung, why) => $"{rung.Name} ({why})");
            return [$"{Passthrough} (the camera gives no H.264)", .. above];
        }
    }

    /// <summary>The longest distance between IDR pictures.</summary>
    public TimeSpan KeyFrameInterval => TimeSpan.FromSeconds(_options.KeyFrameIntervalSeconds);

    /// <summary>Whether H.264 goes out as the source gives it.</summary>
    public bool TakesOwnH264 => _options.Kind is VideoEncoderKind.Auto or VideoEncoderKind.Passthrough;

    /// <summary>What the source is asked for. Loads no library.</summary>
    /// <param name="bitsPerSecond">For a source that encodes itself.</param>
    public SourceDemand GetDemand(int bitsPerSecond)
    {
        var ownH264 = _options.Kind switch
        {
            VideoEncoderKind.Auto => OwnH264Use.WhereItServes,
            VideoEncoderKind.Passthrough => OwnH264Use.Always,
            _ => OwnH264Use.Never,
        };
        // Looking for devices opens every video node: not again for every attempt at opening an absent camera.
        _readInPlace ??= Array.Find(_rungs, static rung => rung.LoadsLibrary || rung.FindObstacle() is null)?.ReadInPlace() ?? SourceDemand.Default.ReadInPlace;
        return new SourceDemand(ownH264, _readInPlace, _options with { BitrateBps = bitsPerSecond });
    }

    /// <summary>Another kind from now on, to be told while neither the source nor an encoder is open.</summary>
    public void Use(VideoEncoderKind kind)
    {
        if (_options.Kind == kind) return;
        _options = _options with { Kind = kind };
        Climb();
        StartOver();
    }

    /// <summary>The source is opened anew: encoders that were given up are tried again.</summary>
    public void StartOver()
    {
        _current = 0;
        _readInPlace = null;
        _lastFailure = null;
        Array.Clear(_given);
    }

    /// <summary>Opens the best encoder that serves.</summary>
    /// <param name="source">What gives the frames, for messages.</param>
    /// <param name="format">What the frames will be; JPEG pictures are decoded in front of the encoder.</param>
    /// <param name="bitsPerSecond">Target.</param>
    /// <param name="pool">Where access units come from.</param>
    /// <param name="output">Receives them.</param>
    /// <param name="onRefusal">Told of an encoder that this machine has but that refuses, when another takes its place.</param>
    /// <exception cref="VideoEncoderException">None serves.</exception>
    public IVideoEncoder Open(
        string source, VideoFormat format, int bitsPerSecond, AccessUnitPool pool, Action<AccessUnit> output, Action<string> onRefusal)
    {
        if (_options.Kind == VideoEncoderKind.Passthrough)
            throw new VideoEncoderException($"encoder.kind is passthrough, but {source} gives {format.PixelFormat} pictures and no H.264 of its own: set encoder.kind to auto");
        if (format.PixelFormat == PixelFormat.H264)
            throw new VideoEncoderException($"{source} gives H.264, which {_options.Kind} cannot encode again: set encoder.kind to auto or passthrough");
        var options = _options with { BitrateBps = bitsPerSecond };
        return format.PixelFormat == PixelFormat.Mjpg
            ? new JpegDecodingEncoder(format, decoded => OpenRung(options, decoded, pool, output, onRefusal))
            : OpenRung(options, format, pool, output, onRefusal);
    }

    /// <summary>The open encoder has failed at work.</summary>
    /// <param name="now">On a monotonic clock.</param>
    /// <param name="why">The failure.</param>
    public EncoderFailureOutcome NoteFailure(TimeSpan now, string why)
    {
        var isRepeated = now - _lastFailure < FailureWindow;
        _lastFailure = now;
        if (!isRepeated) return EncoderFailureOutcome.TryAgain;
        _given[_current++] = why;
        if (_current == _rungs.Length)
        {
            _current = 0;
            return EncoderFailureOutcome.NoneLeft;
        }
        _lastFailure = null;
        return EncoderFailureOutcome.SteppedDown;
    }

    private void Climb()
    {
        _rungs = [.. _all.Where(rung => _options.Kind is VideoEncoderKind.Auto || _options.Kind == rung.Kind)];
        _given = new string?[_rungs.Length];
    }

    private IVideoEncoder OpenRung(
        VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output, Action<string> onRefusal)
    {
        var refusals = new List<string>();
        for (var i = _current; i < _rungs.Length; i++)
        {
            var rung = _rungs[i];
            _given[i] = rung.FindObstacle();
            if (_given[i] is not null) continue;
            try
            {
                var encoder = rung.Open(options, format, pool, output);
                if (i > _current) _lastFailure = null;
                _current = i;
                refusals.ForEach(onRefusal);
                return encoder;
            }
            catch (VideoEncoderException e)
            {
                _given[i] = e.Message;
                refusals.Add(e.Message);
            }
        }

        // One that was given up may serve again by the next attempt; the others cannot.
        _current = 0;
        var obstacles = _given.OfType<string>().ToList();
        throw new VideoEncoderException(obstacles is [var only] ? only : $"no H.264 encoder: {string.Join("; ", obstacles)}");
    }
}
