using System.Numerics;
using Agent.Media;
using Agent.Media.Splitting;

namespace Agent.Devices.Sources;

/// <summary>
/// H.264 (Annex B), cut into access units. One is known to be whole when the next begins or, to save that frame interval, when the program has
/// been silent for a while; if that turns out to have cut a picture in two, the silence must last longer from then on.
/// </summary>
internal sealed class H264Cutter : FrameCutter
{
    private const int ReadSize = 65536;

    /// <summary>Half of what the coded picture buffer of level 5.2 may hold (H.264 Table A-1, MaxCPB): nothing that can be sent to a browser is larger.</summary>
    private const int MaximumAccessUnit = 16 * 1024 * 1024;

    /// <summary>
    /// The silence between two writes of one picture is a matter of scheduling, that between two pictures the rest of the frame interval: at
    /// first a quarter of it.
    /// </summary>
    private const int FlushFraction = 4;

    private readonly VideoFormat _expected;
    private readonly AccessUnitSplitter _splitter = new(MaximumAccessUnit);
    private readonly byte[] _bytes = new byte[ReadSize];
    private VideoFormat _format;
    private TimeSpan _flushAfter;
    private TimeSpan _arrivedAt;
    private TimeSpan _lastArrivedAt;
    private PipeFrame? _flushed;
    private bool _isPending;
    private bool _isBehindFlush;
    private long _lossesBeforeFlush;

    /// <param name="expected">Size and rate by the configuration; the stream tells its own size.</param>
    public H264Cutter(VideoFormat expected)
    {
        _format = _expected = expected;
        _flushAfter = Interval / FlushFraction;
    }

    public override Span<byte> Space => _bytes;

    public override bool IsSkippable => false;

    public override long FramesDamaged => _splitter.UnitsDropped;

    public override TimeSpan? FlushAfter => _isPending && _flushAfter < Interval ? _flushAfter : null;

    private TimeSpan Interval => TimeSpan.FromSeconds(1 / _expected.FramesPerSecond);

    private long Losses => _splitter.UnitsDropped + _splitter.BytesDiscarded;

    public override void Advance(int count, TimeSpan arrivedAt)
    {
        if (!_isPending) _arrivedAt = arrivedAt;
        _lastArrivedAt = arrivedAt;
        _isPending = true;
        _splitter.Append(_bytes.AsSpan(0, count));
    }

    public override PipeFrame? TryTake()
    {
        if (_flushed is { } flushed)
        {
            _flushed = null;
            return flushed;
        }
        var isTaken = _splitter.TryTake(out var accessUnit);
        if (_isBehindFlush && Losses > _lossesBeforeFlush)
        {
            _flushAfter *= 2;
            _isBehindFlush = false;
        }
        return isTaken ? MakeFrame(accessUnit) : null;
    }

    public override void Flush()
    {
        if (_flushed is not null) return;
        _isPending = false;
        if (!_splitter.TryFlush(out var accessUnit)) return;
        _flushed = MakeFrame(accessUnit);
        _isBehindFlush = true;
        _lossesBeforeFlush = Losses;
    }

    private PipeFrame MakeFrame(ReadOnlySpan<byte> accessUnit)
    {
        LearnSize(accessUnit);
        var frame = Pool.Rent();
        frame.Reserve((int)BitOperations.RoundUpToPowerOf2((uint)accessUnit.Length));
        frame.Append(accessUnit);
        frame.Lend(_format, _arrivedAt);
        // Where one ends in a piece that was read, the next begins.
        _arrivedAt = _lastArrivedAt;
        return frame;
    }

    private void LearnSize(ReadOnlySpan<byte> accessUnit)
    {
        var position = 0;
        while (NalUnit.TryFindNext(accessUnit, ref position, out var range))
        {
            var type = NalUnit.TypeOf(accessUnit[range.Start]);
            // Parameter sets come before the slices (H.264 §7.4.1.2.3).
            if (type is NalUnitType.NonIdrSlice or NalUnitType.IdrSlice) return;
            if (type == NalUnitType.SequenceParameterSet && SpsReader.TryRead(accessUnit[range], out var sps))
                _format = _expected with { Width = sps.Width, Height = sps.Height };
        }
    }
}
