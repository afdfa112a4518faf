namespace Agent.Media.Splitting;

/// <summary>
/// Cuts an H.264 byte stream (Annex B) that arrives in pieces of any length into whole access units (§7.4.1.2.3). For progressive streams
/// of the Baseline, Main and High profiles; of interlaced ones, each field becomes an access unit, as the specification has it.
/// <para>
/// After each <see cref="Append"/>, call <see cref="TryTake"/> until it returns false. An access unit is known to be whole only when the
/// next one begins, a frame interval later: see <see cref="TryFlush"/>. For one thread; allocates nothing once its buffer has grown to the
/// stream's largest access unit.
/// </para>
/// </summary>
public sealed class AccessUnitSplitter
{
    /// <summary>start_code_prefix_one_3bytes is this long (§B.1.1).</summary>
    private const int StartCodeLength = 3;

    /// <summary>
    /// A slice header up to the order count is shorter: 238 bits if each field has its largest legal value (§7.4.3), the NAL header byte, and
    /// one emulation prevention byte in three.
    /// </summary>
    private const int LongestSliceHeader = 64;

    /// <summary>Most bytes of the next access unit that come before it is known to have begun: zero_byte, start code, slice header.</summary>
    private const int LongestLookAhead = 1 + StartCodeLength + LongestSliceHeader;

    /// <summary>Data partition A, which begins with a slice header too (Table 7-1).</summary>
    private const NalUnitType PartitionA = (NalUnitType)2;

    private readonly SliceHeaderReader _headers = new();
    private readonly int _maximumSize;
    private byte[] _buffer = [];

    // The current access unit's first byte; where to look for the next start code; behind the last byte.
    private int _start;
    private int _search;
    private int _end;

    /// <summary>The header byte of the NAL unit that is coming in, if its content is wanted.</summary>
    private int? _parameterSet;
    private Progress _progress;
    private bool _isDropping;
    private SliceHeader _lastSlice;

    /// <param name="maximumSize">Bytes of the largest access unit that is handed on.</param>
    public AccessUnitSplitter(int maximumSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumSize);
        _maximumSize = maximumSize;
    }

    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];

    /// <summary>How much of an access unit has come.</summary>
    private enum Progress
    {
        Nothing,
        BeforePicture,
        Picture,
    }

    /// <summary>
    /// Access units that were larger than the maximum, or whose beginning never came or had been flushed. Each may leave decoders without a
    /// reference: ask for a keyframe.
    /// </summary>
    public long UnitsDropped { get; private set; }

    /// <summary>Bytes that belonged to no NAL unit.</summary>
    public long BytesDiscarded { get; private set; }

    /// <summary>Takes in the next piece of the stream.</summary>
    /// <exception cref="InvalidOperationException">What came before was not taken: a bug.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_end - _start > _maximumSize + LongestLookAhead)
            throw new InvalidOperationException("stream appended to access units that were not taken");
        if (_buffer.Length - _end < bytes.Length)
        {
            var kept = _buffer.AsSpan(_start.._end);
            if (_buffer.Length - kept.Length < bytes.Length)
                _buffer = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(kept.Length + bytes.Length))];
            kept.CopyTo(_buffer);
            _search -= _start;
            _parameterSet -= _start;
            _end -= _start;
            _start = 0;
        }
        bytes.CopyTo(_buffer.AsSpan(_end));
        _end += bytes.Length;
    }

    /// <summary>Takes out the next access unit, with its start codes, as soon as it is known to be whole.</summary>
    /// <param name="accessUnit">Valid until the next <see cref="Append"/>.</param>
    public bool TryTake(out ReadOnlySpan<byte> accessUnit)
    {
        while (TryFindNalUnit(out var startCode, out var header))
        {
            LearnParameterSet(startCode);
            // zero_byte belongs to the start code behind it (§B.1.1).
            var first = startCode > _start && _buffer[startCode - 1] == 0 ? startCode - 1 : startCode;
            if (_progress == Progress.Nothing) Discard(first);

            var type = NalUnit.TypeOf(_buffer[header]);
            var isSlice = type is NalUnitType.NonIdrSlice or NalUnitType.IdrSlice or PartitionA;
            SliceHeader slice = default;
            if (isSlice && !TryReadSlice(header, out slice, out isSlice))
            {
                _search = startCode;
                break;
            }
            if (_progress == Progress.Picture && (isSlice ? slice.BeginsPictureAfter(_lastSlice) : BeginsAccessUnit(type)))
            {
                // This NAL unit is found again, as the first of the next access unit.
                _search = startCode;
                if (TryComplete(first, out accessUnit)) return true;
                continue;
            }
            Admit(header, type, isSlice, slice);
        }
        KeepWithinBounds();
        accessUnit = default;
        return false;
    }

    /// <summary>
    /// Takes what has come as a whole access unit, so that the last picture need not wait for the next one to begin. For when the pipe has been
    /// idle: a writer that pauses within a picture has it cut there, and the rest of it is dropped and counted when it comes. So wait for
    /// longer than the writer may take between two writes of one picture, or do without. False where no picture has begun or
    /// <see cref="UnitsDropped"/> has counted it.
    /// </summary>
    /// <param name="accessUnit">Valid until the next <see cref="Append"/>.</param>
    public bool TryFlush(out ReadOnlySpan<byte> accessUnit)
    {
        if (TryTake(out accessUnit)) return true;
        // A start code behind the place that has been searched: whose NAL unit that is cannot be told yet.
        if (_progress != Progress.Picture || _buffer.AsSpan(_search.._end).IndexOf(StartCode) >= 0) return false;
        // Zeros at the end may be the next start code's; a NAL unit has none (§7.4.1).
        var end = _start + _buffer.AsSpan(_start.._end).TrimEnd((byte)0).Length;
        _parameterSet = null;
        _search = end;
        return TryComplete(end, out accessUnit);
    }

    /// <summary>
    /// What is not a slice and begins an access unit when it comes after a picture (§7.4.1.2.3): delimiter, parameter sets, SEI, and types 14
    /// to 18.
    /// </summary>
    private static bool BeginsAccessUnit(NalUnitType type) =>
        type is >= NalUnitType.SupplementalEnhancementInformation and <= NalUnitType.AccessUnitDelimiter or >= (NalUnitType)14 and <= (NalUnitType)18;

    /// <summary>Finds the next start code and the header byte behind it; if they have not all come, moves the search to where it goes on.</summary>
    private bool TryFindNalUnit(out int startCode, out int header)
    {
        var offset = _buffer.AsSpan(_search.._end).IndexOf(StartCode);
        startCode = _search + offset;
        header = startCode + StartCodeLength;
        if (offset >= 0 && header < _end) return true;
        _search = offset >= 0 ? startCode : Math.Max(_search, _end - (StartCodeLength - 1));
        return false;
    }

    private void LearnParameterSet(int end)
    {
        if (_parameterSet is { } start) _headers.Learn(_buffer.AsSpan(start..end).TrimEnd((byte)0));
        _parameterSet = null;
    }

    /// <summary>False while too little of the slice has come; a header that is garbage makes it no slice.</summary>
    private bool TryReadSlice(int header, out SliceHeader slice, out bool isSlice)
    {
        var available = _buffer.AsSpan(header, Math.Min(LongestSliceHeader, _end - header));
        var length = available.IndexOf(StartCode);
        isSlice = _headers.TryRead(length < 0 ? available : available[..length], out slice);
        return isSlice || length >= 0 || available.Length == LongestSliceHeader;
    }

    private void Admit(int header, NalUnitType type, bool isSlice, SliceHeader slice)
    {
        // The rest of a picture whose beginning was flushed or never came is of no use.
        if (isSlice && _progress != Progress.Picture && slice.FirstMacroblock != 0) _isDropping = true;
        if (isSlice) _lastSlice = slice;
        if (isSlice || _progress == Progress.Nothing) _progress = isSlice ? Progress.Picture : Progress.BeforePicture;
        if (type is NalUnitType.SequenceParameterSet or NalUnitType.PictureParameterSet) _parameterSet = header;
        _search = header;
    }

    /// <summary>Ends the access unit before a position; false if it is dropped.</summary>
    private bool TryComplete(int end, out ReadOnlySpan<byte> accessUnit)
    {
        accessUnit = _buffer.AsSpan(_start..end);
        var isDropped = _isDropping || accessUnit.Length > _maximumSize;
        if (isDropped) UnitsDropped++;
        _start = end;
        _progress = Progress.Nothing;
        _isDropping = false;
        return !isDropped;
    }

    /// <summary>Lets go of bytes outside NAL units. Zeros before a start code may be there (§B.1.1) and are not counted.</summary>
    private void Discard(int end)
    {
        if (_buffer.AsSpan(_start..end).ContainsAnyExcept((byte)0)) BytesDiscarded += end - _start;
        _start = end;
    }

    /// <summary>Lets go of what has been searched if it will not be handed on; the byte before the search may be a start code's zero_byte.</summary>
    private void KeepWithinBounds()
    {
        var end = Math.Max(_start, _search - 1);
        if (_progress == Progress.Nothing)
        {
            Discard(end);
        }
        else if (_isDropping || end - _start > _maximumSize)
        {
            _isDropping = true;
            _parameterSet = null;
            _start = end;
        }
    }
}
