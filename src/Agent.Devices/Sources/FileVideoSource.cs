using Agent.Interop.LibAv;
using Agent.Media;

namespace Agent.Devices.Sources;

/// <summary>
/// Plays anything that libavformat opens, over and over, in real time. H.264 that browsers decode (8 bit 4:2:0, no B-frames) is passed
/// through as it is if that is wanted, everything else is decoded to YU12.
/// </summary>
internal sealed class FileVideoSource : IVideoSource
{
    /// <summary>libavformat's own guess for raw streams, which do not say their rate.</summary>
    private const int DefaultFrameRate = 25;

    /// <summary>Later than this, the machine was asleep or stopped: play on from here instead of catching up in a rush.</summary>
    private static readonly TimeSpan LongestCatchUp = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly TimeProvider _clock;
    private readonly LibAvInput _input;
    private readonly LibAvPacket _packet;
    private readonly MediaTimeline _timeline;
    private readonly LibAvAnnexBFilter? _filter;
    private readonly ParameterSetKeeper _parameterSets = new();
    private readonly LibAvCodecContext? _decoder;
    private readonly DecodedPicture? _picture;
    private readonly LentFrame _frame;
    private bool _hasFirstPacket;
    private bool _isDraining;
    private bool _hasDeliveredThisLap;
    private TimeSpan? _start;

    /// <param name="options">The path.</param>
    /// <param name="ownH264">Whether the file's H.264 is wanted as it is.</param>
    /// <param name="clock">Sets the pace; the machine's by default.</param>
    /// <exception cref="VideoSourceException">There is no such file, or it holds no video that can be read.</exception>
    public FileVideoSource(VideoSourceOptions options, OwnH264Use ownH264 = OwnH264Use.WhereItServes, TimeProvider? clock = null)
    {
        _clock = clock ?? TimeProvider.System;
        _path = options.Path ?? throw new VideoSourceException("file source has no path: set one");
        try
        {
            _input = new LibAvInput(_path);
            _packet = new LibAvPacket();
        }
        catch (Exception e) when (e is LibAvException or DllNotFoundException)
        {
            throw new VideoSourceException($"cannot open file {_path}: {e.Message}", e)
            {
                Failure = File.Exists(_path) ? SourceFailure.Failed : SourceFailure.Absent,
            };
        }
        try
        {
            var (numerator, denominator) = _input.FrameRate;
            if (numerator <= 0 || denominator <= 0) (numerator, denominator) = (DefaultFrameRate, 1);
            _timeline = new MediaTimeline(_input.TimestampUnit, TimeSpan.FromSeconds((double)denominator / numerator));
            _decoder = _input.CreateDecoder();
            var (width, height) = _decoder.VideoSize;
            var format = new VideoFormat(PixelFormat.H264, width, height, numerator, denominator);
            if (ownH264 != OwnH264Use.Never && _input.IsH264 && _decoder.ReorderDepth == 0)
            {
                _filter = new LibAvAnnexBFilter(_input);
                if (FirstPictureIsForBrowsers())
                {
                    _decoder.Dispose();
                    _decoder = null;
                }
                else
                {
                    _filter.Dispose();
                    _filter = null;
                    _input.Rewind();
                    _hasFirstPacket = false;
                }
            }
            if (_decoder is not null)
            {
                format = format with { PixelFormat = PixelFormat.Yu12 };
                _decoder.Open();
                _picture = new DecodedPicture(format);
                format = _picture.Format;
            }
            Format = format;
            _frame = new LentFrame(this);
        }
        catch (LibAvException e)
        {
            Dispose();
            throw new VideoSourceException($"cannot play file {_path}: {e.Message}", e);
        }
    }

    public VideoFormat Format { get; }

    public string Description => $"file {_path}";

    /// <summary>Packets that could not be decoded.</summary>
    public long FramesDropped { get; private set; }

    public CapturedFrame? ReadFrame(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                if (!(_decoder is null ? TryReadPacket() : TryReadPicture(_decoder)))
                {
                    StartNextLap();
                    continue;
                }
                _hasDeliveredThisLap = true;
                var due = _timeline.Next(_decoder is null ? _packet.Pts : _picture!.Pts);
                var now = Pacer.Now(_clock);
                _start ??= now;
                if (now - due - _start > LongestCatchUp) _start = now - due;
                var capturedAt = _start.Value + due;
                return Pacer.WaitUntil(capturedAt, _clock, stop) ? _frame.At(capturedAt) : null;
            }
            return null;
        }
        catch (LibAvException e)
        {
            throw new VideoSourceException($"file {_path} cannot be played on: {e.Message}", e);
        }
    }

    /// <summary>Always false: what is in the file is in the file.</summary>
    public bool RequestKeyFrame() => false;

    public void Dispose()
    {
        _filter?.Dispose();
        _decoder?.Dispose();
        _picture?.Dispose();
        _packet.Dispose();
        _input.Dispose();
    }

    /// <summary>Reads the first packet that holds an SPS, kept as the first to be played; false if its profile is none that browsers decode.</summary>
    private bool FirstPictureIsForBrowsers()
    {
        _hasFirstPacket = TryReadPacket();
        var position = 0;
        while (_hasFirstPacket && NalUnit.TryFindNext(_packet.Data, ref position, out var range))
        {
            // profile_idc 66, 77, 100: Baseline, Main, High.
            if (SpsReader.TryRead(_packet.Data[range], out var sps)) return sps is { ProfileIdc: 66 or 77 or 100, BitDepthLuma: 8, ChromaFormatIdc: 1 };
        }
        return false;
    }

    private bool TryReadPacket()
    {
        if (_hasFirstPacket)
        {
            _hasFirstPacket = false;
            return true;
        }
        while (_input.TryRead(_packet))
        {
            if (_filter!.TryFilter(_packet)) return true;
            FramesDropped++;
        }
        return false;
    }

    private bool TryReadPicture(LibAvCodecContext decoder)
    {
        while (!_picture!.TryReceive(decoder))
        {
            if (_isDraining) return false;
            if (!_input.TryRead(_packet))
            {
                _isDraining = true;
                decoder.SendEnd();
            }
            else if (!decoder.TrySend(_packet))
            {
                FramesDropped++;
            }
        }
        return true;
    }

    private void StartNextLap()
    {
        if (!_hasDeliveredThisLap) throw new VideoSourceException($"file {_path} holds no picture that can be decoded");
        _hasDeliveredThisLap = false;
        _isDraining = false;
        _input.Rewind();
        _filter?.Flush();
        _decoder?.Flush();
        _timeline.StartLap();
    }

    /// <summary>The packet or picture that was read last, lent again and again.</summary>
    private sealed class LentFrame(FileVideoSource source) : CapturedFrame
    {
        private TimeSpan _capturedAt;
        private ReadOnlyMemory<byte> _completed;
        private bool _isCompleted;

        public override VideoFormat Format => source._picture?.Format ?? source.Format;

        public override TimeSpan CapturedAt => _capturedAt;

        public override int PlaneCount => source._picture is null ? 1 : 3;

        public LentFrame At(TimeSpan capturedAt)
        {
            _capturedAt = capturedAt;
            _isCompleted = source._picture is null && source._parameterSets.TryComplete(source._packet.Data, out _completed);
            return this;
        }

        public override ReadOnlySpan<byte> GetPlane(int plane) =>
            source._picture is { } picture ? picture.GetPlane(plane) : _isCompleted ? _completed.Span : source._packet.Data;

        public override int GetBytesPerLine(int plane) => source._picture?.GetBytesPerLine(plane) ?? 0;

        /// <summary>Nothing to give back: the source reads on only when it is asked for the next frame.</summary>
        public override void Dispose()
        {
        }
    }
}
