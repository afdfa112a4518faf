using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>Sender information of an SR (RFC 3550 §6.4.1).</summary>
internal readonly record struct RtcpSenderInfo(ulong NtpTimestamp, uint RtpTimestamp, uint PacketCount, uint OctetCount);

/// <summary>Writes the packets of a compound packet one after the other into one buffer.</summary>
internal ref struct RtcpWriter(Span<byte> buffer)
{
    /// <summary>Longest text of an SDES item (RFC 3550 §6.5).</summary>
    public const int MaximumItemLength = 255;

    /// <summary>The CNAME item (RFC 3550 §6.5.1).</summary>
    private const byte CnameItem = 1;
    private const int ItemHeaderLength = 2;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>An SR without report blocks (RFC 3550 §6.4.1).</summary>
    public void WriteSenderReport(uint ssrc, RtcpSenderInfo info)
    {
        var body = Begin(RtcpPacketType.SenderReport, 0, 24);
        BinaryPrimitives.WriteUInt32BigEndian(body, ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(body[4..], info.NtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(body[12..], info.RtpTimestamp);
        BinaryPrimitives.WriteUInt32BigEndian(body[16..], info.PacketCount);
        BinaryPrimitives.WriteUInt32BigEndian(body[20..], info.OctetCount);
    }

    /// <summary>An RR without report blocks, to head a compound packet while nothing is sent (RFC 3550 §6.4.2).</summary>
    public void WriteEmptyReceiverReport(uint ssrc) =>
        BinaryPrimitives.WriteUInt32BigEndian(Begin(RtcpPacketType.ReceiverReport, 0, sizeof(uint)), ssrc);

    /// <summary>An SDES with one chunk that holds the CNAME (RFC 3550 §6.5).</summary>
    public void WriteCname(uint ssrc, ReadOnlySpan<byte> cname)
    {
        // At least one zero octet ends the items, and more fill the word.
        var length = (sizeof(uint) + ItemHeaderLength + cname.Length) / sizeof(uint) * sizeof(uint) + sizeof(uint);
        var body = Begin(RtcpPacketType.SourceDescription, 1, length);
        body.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(body, ssrc);
        body[4] = CnameItem;
        body[5] = (byte)cname.Length;
        cname.CopyTo(body[(sizeof(uint) + ItemHeaderLength)..]);
    }

    /// <summary>A BYE without reason (RFC 3550 §6.6).</summary>
    public void WriteBye(scoped ReadOnlySpan<uint> ssrcs)
    {
        var body = Begin(RtcpPacketType.Bye, (byte)ssrcs.Length, ssrcs.Length * sizeof(uint));
        for (var i = 0; i < ssrcs.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(body[(i * sizeof(uint))..], ssrcs[i]);
    }

    private Span<byte> Begin(byte type, byte count, int bodyLength)
    {
        var header = _buffer[Length..];
        header[0] = (byte)(RtcpHeader.Version2 | count);
        header[1] = type;
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], (ushort)(bodyLength / sizeof(uint)));
        Length += RtcpHeader.Length + bodyLength;
        return header.Slice(RtcpHeader.Length, bodyLength);
    }
}
