using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>INIT and INIT ACK (RFC 9260 §3.3.2, §3.3.3): what a side says about itself.</summary>
/// <param name="Tag">The verification tag of packets to it.</param>
/// <param name="Window">Its a_rwnd in bytes.</param>
/// <param name="OutboundStreams">Streams it wants to send on.</param>
/// <param name="InboundStreams">Streams it takes.</param>
/// <param name="InitialTsn">The first TSN it sends.</param>
/// <param name="HasForwardTsn">It understands FORWARD TSN (RFC 3758 §3.1).</param>
/// <param name="HasReConfig">It understands RE-CONFIG (RFC 6525 §5.1.1).</param>
internal readonly record struct SctpInit(
    uint Tag, uint Window, ushort OutboundStreams, ushort InboundStreams, uint InitialTsn, bool HasForwardTsn, bool HasReConfig)
{
    /// <summary>Bytes of the fixed part.</summary>
    public const int FixedLength = 16;

    /// <param name="value">The chunk's value.</param>
    /// <param name="init">What it says.</param>
    /// <param name="cookie">The state cookie of an INIT ACK, otherwise empty.</param>
    public static bool TryRead(ReadOnlySpan<byte> value, out SctpInit init, out ReadOnlySpan<byte> cookie)
    {
        init = default;
        cookie = default;
        if (value.Length < FixedLength) return false;
        var (hasForwardTsn, hasReConfig) = (false, false);
        var parameters = new SctpTlvReader(value[FixedLength..]);
        while (parameters.TryRead(out var parameter))
        {
            switch ((SctpParameterType)parameter.Type)
            {
                case SctpParameterType.StateCookie:
                    cookie = parameter.Value;
                    break;
                case SctpParameterType.ForwardTsnSupported:
                    hasForwardTsn = true;
                    break;
                case SctpParameterType.SupportedExtensions:
                    hasForwardTsn |= parameter.Value.Contains((byte)SctpChunkType.ForwardTsn);
                    hasReConfig |= parameter.Value.Contains((byte)SctpChunkType.ReConfig);
                    break;
            }
        }

        init = new SctpInit(
            BinaryPrimitives.ReadUInt32BigEndian(value), BinaryPrimitives.ReadUInt32BigEndian(value[4..]),
            BinaryPrimitives.ReadUInt16BigEndian(value[8..]), BinaryPrimitives.ReadUInt16BigEndian(value[10..]),
            BinaryPrimitives.ReadUInt32BigEndian(value[12..]), hasForwardTsn, hasReConfig);

        // RFC 9260 §3.3.2: none of these may be zero.
        return init is { Tag: not 0, OutboundStreams: not 0, InboundStreams: not 0 };
    }

    public void WriteFixed(Span<byte> value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(value, Tag);
        BinaryPrimitives.WriteUInt32BigEndian(value[4..], Window);
        BinaryPrimitives.WriteUInt16BigEndian(value[8..], OutboundStreams);
        BinaryPrimitives.WriteUInt16BigEndian(value[10..], InboundStreams);
        BinaryPrimitives.WriteUInt32BigEndian(value[12..], InitialTsn);
    }
}

/// <summary>DATA (RFC 9260 §3.3.1).</summary>
internal readonly ref struct SctpData
{
    public uint Tsn { get; init; }

    public ushort Stream { get; init; }

    public ushort Ssn { get; init; }

    public uint Ppid { get; init; }

    public byte Flags { get; init; }

    public ReadOnlySpan<byte> Payload { get; init; }

    public bool IsBegin => (Flags & SctpFormat.DataBegin) != 0;

    public bool IsEnd => (Flags & SctpFormat.DataEnd) != 0;

    public bool IsUnordered => (Flags & SctpFormat.DataUnordered) != 0;

    public bool IsImmediate => (Flags & SctpFormat.DataImmediate) != 0;

    /// <summary>True also for a chunk without user data, which the association must be aborted for.</summary>
    public static bool TryRead(in SctpTlv chunk, out SctpData data)
    {
        const int HeaderLength = SctpFormat.DataHeaderLength - SctpFormat.TlvHeaderLength;
        var value = chunk.Value;
        data = default;
        if (value.Length < HeaderLength) return false;
        data = new SctpData
        {
            Tsn = BinaryPrimitives.ReadUInt32BigEndian(value),
            Stream = BinaryPrimitives.ReadUInt16BigEndian(value[4..]),
            Ssn = BinaryPrimitives.ReadUInt16BigEndian(value[6..]),
            Ppid = BinaryPrimitives.ReadUInt32BigEndian(value[8..]),
            Flags = chunk.Flags,
            Payload = value[HeaderLength..],
        };
        return true;
    }

    public static void Write(Span<byte> value, uint tsn, ushort stream, ushort ssn, uint ppid, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteUInt32BigEndian(value, tsn);
        BinaryPrimitives.WriteUInt16BigEndian(value[4..], stream);
        BinaryPrimitives.WriteUInt16BigEndian(value[6..], ssn);
        BinaryPrimitives.WriteUInt32BigEndian(value[8..], ppid);
        payload.CopyTo(value[12..]);
    }
}

/// <summary>SACK (RFC 9260 §3.3.4); reported duplicates are of no use here.</summary>
internal readonly ref struct SctpSack
{
    public const int FixedLength = 12;
    public const int GapLength = 4;

    private readonly ReadOnlySpan<byte> _gaps;

    private SctpSack(uint cumulativeTsn, uint window, ReadOnlySpan<byte> gaps)
    {
        CumulativeTsn = cumulativeTsn;
        Window = window;
        _gaps = gaps;
    }

    public uint CumulativeTsn { get; }

    public uint Window { get; }

    public int GapCount => _gaps.Length / GapLength;

    /// <summary>A block that has arrived, by its first and last offset from the cumulative TSN.</summary>
    public (ushort Start, ushort End) GetGap(int index) =>
        (BinaryPrimitives.ReadUInt16BigEndian(_gaps[(index * GapLength)..]), BinaryPrimitives.ReadUInt16BigEndian(_gaps[((index * GapLength) + 2)..]));

    public static bool TryRead(ReadOnlySpan<byte> value, out SctpSack sack)
    {
        sack = default;
        if (value.Length < FixedLength) return false;
        var gapBytes = BinaryPrimitives.ReadUInt16BigEndian(value[8..]) * GapLength;
        if (value.Length < FixedLength + gapBytes) return false;
        sack = new SctpSack(
            BinaryPrimitives.ReadUInt32BigEndian(value), BinaryPrimitives.ReadUInt32BigEndian(value[4..]), value.Slice(FixedLength, gapBytes));
        return true;
    }
}

/// <summary>FORWARD TSN (RFC 3758 §3.2).</summary>
internal readonly ref struct SctpForwardTsn
{
    public const int FixedLength = 4;
    public const int SkipLength = 4;

    private readonly ReadOnlySpan<byte> _skips;

    private SctpForwardTsn(uint cumulativeTsn, ReadOnlySpan<byte> skips)
    {
        CumulativeTsn = cumulativeTsn;
        _skips = skips;
    }

    public uint CumulativeTsn { get; }

    public int SkipCount => _skips.Length / SkipLength;

    /// <summary>An ordered stream and the last of its messages that is given up.</summary>
    public (ushort Stream, ushort Ssn) GetSkip(int index) =>
        (BinaryPrimitives.ReadUInt16BigEndian(_skips[(index * SkipLength)..]), BinaryPrimitives.ReadUInt16BigEndian(_skips[((index * SkipLength) + 2)..]));

    public static bool TryRead(ReadOnlySpan<byte> value, out SctpForwardTsn forward)
    {
        forward = default;
        if (value.Length < FixedLength) return false;
        forward = new SctpForwardTsn(BinaryPrimitives.ReadUInt32BigEndian(value), value[FixedLength..]);
        return true;
    }
}
