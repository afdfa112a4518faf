using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>
/// Which packets arrived, and when: the FCI of transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1). Its
/// outline is checked as a whole at first, so the walk over the packets cannot fail. Its cost is bounded by the bytes received, not by the
/// number of packets that they claim to be about.
/// </summary>
internal ref struct RtcpTransportFeedback
{
    /// <summary>FMT of transport-wide feedback.</summary>
    public const byte MessageType = 15;

    /// <summary>Base sequence number, packet status count, reference time, feedback packet count.</summary>
    private const int PrefixLength = 8;
    private const int ChunkLength = sizeof(ushort);

    /// <summary>The unit of the reference time, 64 ms, in ticks.</summary>
    public const long ReferenceTicks = 64 * TimeSpan.TicksPerMillisecond;

    /// <summary>A delta's unit is 250 µs.</summary>
    private const long DeltaTicks = 250 * TimeSpan.TicksPerMicrosecond;

    // Packet status chunks: a run of one symbol, or a vector of 14 symbols of one bit or 7 of two.
    private const int VectorBit = 0x8000;
    private const int TwoBitSymbols = 0x4000;
    private const int RunLengthMask = 0x1FFF;
    private const int RunSymbolShift = 13;
    private const int OneBitSymbolsPerChunk = 14;
    private const int TwoBitSymbolsPerChunk = 7;

    /// <summary>Symbols: 0 not received, 1 and 2 received with a delta of that many bytes, 3 reserved.</summary>
    private const int ReservedSymbol = 3;

    private readonly ReadOnlySpan<byte> _chunks;
    private ReadOnlySpan<byte> _deltas;
    private int _chunk;
    private int _chunkSymbolsLeft;
    private int _symbolIndex;
    private int _nextChunk;
    private int _left;
    private ushort _next;
    private long _time;

    private RtcpTransportFeedback(ReadOnlySpan<byte> controlInformation, int chunksLength)
    {
        BaseSequence = BinaryPrimitives.ReadUInt16BigEndian(controlInformation);
        StatusCount = BinaryPrimitives.ReadUInt16BigEndian(controlInformation[2..]);
        ReferenceTime = BinaryPrimitives.ReadInt32BigEndian(controlInformation[4..]) >> 8;
        _chunks = controlInformation.Slice(PrefixLength, chunksLength);
        _deltas = controlInformation[(PrefixLength + chunksLength)..];
        _left = StatusCount;
        _next = BaseSequence;
        _time = ReferenceTime * ReferenceTicks;
    }

    /// <summary>The first packet that it is about.</summary>
    public ushort BaseSequence { get; }

    /// <summary>How many packets it is about; 1 at least.</summary>
    public ushort StatusCount { get; }

    /// <summary>In units of <see cref="ReferenceTicks"/>, 24 bits with sign: it begins anew after twelve days.</summary>
    public int ReferenceTime { get; }

    /// <summary>Checks the outline.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> controlInformation, out RtcpTransportFeedback feedback)
    {
        feedback = default;
        if (controlInformation.Length < PrefixLength)
            return false;

        int left = BinaryPrimitives.ReadUInt16BigEndian(controlInformation[2..]);
        if (left == 0)
            return false;

        var position = PrefixLength;
        long deltaBytes = 0;
        while (left > 0)
        {
            if (position + ChunkLength > controlInformation.Length)
                return false;

            var chunk = BinaryPrimitives.ReadUInt16BigEndian(controlInformation[position..]);
            position += ChunkLength;
            var count = Math.Min(left, GetSymbolCount(chunk));
            left -= count;
            if ((chunk & VectorBit) == 0)
            {
                if (GetSymbol(chunk, 0) == ReservedSymbol || count == 0)
                    return false;

                deltaBytes += (long)count * GetSymbol(chunk, 0);
                continue;
            }

            for (var i = 0; i < count; i++)
            {
                var symbol = GetSymbol(chunk, i);
                if (symbol == ReservedSymbol)
                    return false;

                deltaBytes += symbol;
            }
        }

        // Zeros may fill up to a whole word.
        if (controlInformation.Length - position < deltaBytes)
            return false;

        feedback = new RtcpTransportFeedback(controlInformation, position - PrefixLength);
        return true;
    }

    /// <summary>Takes the next packet that arrived; false after the last.</summary>
    /// <param name="sequence">Its transport-wide sequence number.</param>
    /// <param name="arrival">On the receiver's clock, as far as <see cref="ReferenceTime"/> reaches.</param>
    public bool TryRead(out ushort sequence, out TimeSpan arrival)
    {
        while (_left > 0)
        {
            if (_chunkSymbolsLeft == 0)
            {
                _chunk = BinaryPrimitives.ReadUInt16BigEndian(_chunks[_nextChunk..]);
                _nextChunk += ChunkLength;
                _chunkSymbolsLeft = Math.Min(_left, GetSymbolCount(_chunk));
                _symbolIndex = 0;
            }

            var symbol = GetSymbol(_chunk, _symbolIndex++);
            var count = symbol == 0 && (_chunk & VectorBit) == 0 ? _chunkSymbolsLeft : 1;
            sequence = _next;
            _next += (ushort)count;
            _left -= count;
            _chunkSymbolsLeft -= count;
            if (symbol == 0)
                continue;

            _time += (symbol == 1 ? _deltas[0] : BinaryPrimitives.ReadInt16BigEndian(_deltas)) * DeltaTicks;
            _deltas = _deltas[symbol..];
            arrival = new TimeSpan(_time);
            return true;
        }

        (sequence, arrival) = (0, default);
        return false;
    }

    private static int GetSymbolCount(int chunk) => (chunk & VectorBit) == 0
        ? chunk & RunLengthMask
        : (chunk & TwoBitSymbols) == 0 ? OneBitSymbolsPerChunk : TwoBitSymbolsPerChunk;

    private static int GetSymbol(int chunk, int index)
    {
        if ((chunk & VectorBit) == 0)
            return chunk >> RunSymbolShift & ReservedSymbol;

        return (chunk & TwoBitSymbols) == 0
            ? chunk >> (OneBitSymbolsPerChunk - 1 - index) & 1
            : chunk >> 2 * (TwoBitSymbolsPerChunk - 1 - index) & ReservedSymbol;
    }
}
