using System.Buffers.Binary;
using System.Numerics;

namespace Agent.Rtc.Rtcp;

/// <summary>A feedback message (RFC 4585 §6.1): transport layer or payload specific.</summary>
/// <param name="senderSsrc">Who sends it.</param>
/// <param name="mediaSsrc">Which source it is about.</param>
/// <param name="controlInformation">The FCI.</param>
internal readonly ref struct RtcpFeedback(uint senderSsrc, uint mediaSsrc, ReadOnlySpan<byte> controlInformation)
{
    // FMT values of transport layer feedback (RFC 4585 §6.2) and of payload specific feedback (RFC 4585 §6.3, RFC 5104 §4.3).
    public const byte GenericNack = 1;
    public const byte PictureLossIndication = 1;
    public const byte FullIntraRequest = 4;

    private const int PrefixLength = 2 * sizeof(uint);

    public uint SenderSsrc { get; } = senderSsrc;

    public uint MediaSsrc { get; } = mediaSsrc;

    public ReadOnlySpan<byte> ControlInformation { get; } = controlInformation;

    /// <summary>Reads what all feedback messages have in common.</summary>
    public static bool TryParse(RtcpPacket packet, out RtcpFeedback feedback)
    {
        feedback = default;
        if (packet.Body.Length < PrefixLength)
            return false;

        feedback = new RtcpFeedback(
            BinaryPrimitives.ReadUInt32BigEndian(packet.Body), BinaryPrimitives.ReadUInt32BigEndian(packet.Body[sizeof(uint)..]),
            packet.Body[PrefixLength..]);
        return true;
    }
}

/// <summary>The sequence numbers that a generic NACK names (RFC 4585 §6.2.1), one after the other.</summary>
internal ref struct RtcpNackReader
{
    /// <summary>PID and BLP.</summary>
    private const int EntryLength = 4;

    private ReadOnlySpan<byte> _entries;
    private ushort _packetId;
    private uint _pending;

    private RtcpNackReader(ReadOnlySpan<byte> entries) => _entries = entries;

    /// <summary>False unless the FCI is a positive number of entries.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> controlInformation, out RtcpNackReader reader)
    {
        reader = new RtcpNackReader(controlInformation);
        return controlInformation.Length > 0 && controlInformation.Length % EntryLength == 0;
    }

    /// <summary>Takes the next sequence number; false after the last.</summary>
    public bool TryRead(out ushort sequenceNumber)
    {
        sequenceNumber = 0;
        if (_pending == 0)
        {
            if (_entries.IsEmpty)
                return false;

            _packetId = BinaryPrimitives.ReadUInt16BigEndian(_entries);
            // Bit i of the BLP stands for PID + i + 1, so with PID itself as bit 0 each bit is its distance.
            _pending = (uint)BinaryPrimitives.ReadUInt16BigEndian(_entries[sizeof(ushort)..]) << 1 | 1;
            _entries = _entries[EntryLength..];
        }

        sequenceNumber = (ushort)(_packetId + BitOperations.TrailingZeroCount(_pending));
        _pending &= _pending - 1;
        return true;
    }
}

/// <summary>The entries of a Full Intra Request (RFC 5104 §4.3.1).</summary>
internal static class RtcpFullIntraRequest
{
    /// <summary>SSRC, sequence number, three reserved octets.</summary>
    private const int EntryLength = 8;

    /// <summary>Finds the entry for one SSRC.</summary>
    /// <returns>False unless the FCI is a positive number of entries; true with no sequence number if none is for that SSRC.</returns>
    public static bool TryFind(ReadOnlySpan<byte> controlInformation, uint ssrc, out byte? sequenceNumber)
    {
        sequenceNumber = null;
        if (controlInformation.Length == 0 || controlInformation.Length % EntryLength != 0)
            return false;

        for (var entries = controlInformation; entries.Length > 0; entries = entries[EntryLength..])
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(entries) == ssrc)
                sequenceNumber = entries[sizeof(uint)];
        }

        return true;
    }
}
