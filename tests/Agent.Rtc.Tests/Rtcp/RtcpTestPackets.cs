using System.Buffers.Binary;

namespace Agent.Rtc.Tests.Rtcp;

/// <summary>What receivers send, written octet by octet as the RFCs draw it.</summary>
internal static class RtcpTestPackets
{
    public const uint ReceiverSsrc = 1;

    public static byte[] Packet(byte type, int count, params ReadOnlySpan<byte[]> body)
    {
        var length = 0;
        foreach (var part in body)
            length += part.Length;

        var packet = new List<byte> { (byte)(0x80 | count), type, (byte)(length / 4 >> 8), (byte)(length / 4) };
        foreach (var part in body)
            packet.AddRange(part);

        return [.. packet];
    }

    public static byte[] U32(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] EmptyReport() => Packet(201, 0, U32(ReceiverSsrc));

    public static byte[] Report(uint ssrc, byte fractionLost, int lost, uint jitter, uint lastSenderReport, uint delay) => Packet(
        201, 1, U32(ReceiverSsrc), U32(ssrc), U32((uint)fractionLost << 24 | (uint)lost & 0xFF_FFFF), U32(70_000), U32(jitter),
        U32(lastSenderReport), U32(delay));

    /// <summary>A generic NACK, with as few entries as its sequence numbers allow.</summary>
    public static byte[] Nack(uint ssrc, params IEnumerable<ushort> sequenceNumbers)
    {
        var entries = new List<byte>();
        var open = false;
        ushort first = 0;
        var mask = 0;
        foreach (var sequenceNumber in sequenceNumbers)
        {
            var distance = (ushort)(sequenceNumber - first);
            if (open && distance is >= 1 and <= 16)
            {
                mask |= 1 << (distance - 1);
                continue;
            }

            if (open)
                entries.AddRange(U32((uint)first << 16 | (uint)mask));

            (open, first, mask) = (true, sequenceNumber, 0);
        }

        if (open)
            entries.AddRange(U32((uint)first << 16 | (uint)mask));

        return Packet(205, 1, U32(ReceiverSsrc), U32(ssrc), [.. entries]);
    }

    public static byte[] Pli(uint ssrc) => Packet(206, 1, U32(ReceiverSsrc), U32(ssrc));

    public static byte[] Fir(uint ssrc, byte sequenceNumber) =>
        Packet(206, 4, U32(ReceiverSsrc), U32(0), U32(ssrc), [sequenceNumber, 0, 0, 0]);

    /// <summary>Receiver estimated maximum bitrate, as browsers send it.</summary>
    public static byte[] Remb(uint ssrc, long bitsPerSecond = 1_000_000)
    {
        var exponent = 0;
        while (bitsPerSecond >> exponent >= 1 << 18)
            exponent++;

        var bits = (uint)(exponent << 18) | (uint)(bitsPerSecond >> exponent);
        return Packet(206, 15, U32(ReceiverSsrc), U32(0), "REMB"u8.ToArray(), U32(1 << 24 | bits), U32(ssrc));
    }

    public static byte[] TransportWide(uint ssrc) =>
        Packet(205, 15, U32(ReceiverSsrc), U32(ssrc), [0, 1, 0, 1], [0, 0, 1, 0], [0x20, 1, 4, 0]);

    /// <summary>An extended report with a receiver reference time (RFC 3611 §4.4).</summary>
    public static byte[] ReceiverReferenceTime() => Packet(207, 0, U32(ReceiverSsrc), [4, 0, 0, 2], U32(100), U32(200));

    public static byte[] Bye() => Packet(203, 1, U32(ReceiverSsrc));

    public static byte[] Compound(params IEnumerable<byte[]> packets) => [.. packets.SelectMany(packet => packet)];
}
