using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Agent.Rtc.Sctp;

namespace Agent.Rtc.DataChannels;

/// <summary>DATA_CHANNEL_OPEN (RFC 8832 §5.1).</summary>
/// <param name="Label">The channel's name.</param>
/// <param name="Protocol">Its subprotocol, mostly empty.</param>
/// <param name="Reliability">How its messages are delivered.</param>
internal sealed record DcepOpen(string Label, string Protocol, SctpReliability Reliability)
{
    /// <summary>RFC 8832 §8.2.1.</summary>
    public const byte AckType = 2;
    public const byte OpenType = 3;

    /// <summary>Bytes of label and protocol that are taken; W3C WebRTC allows 65535, and nobody needs them.</summary>
    public const int MaximumTextLength = 256;

    private const int FixedLength = 12;

    // RFC 8832 §8.2.2: channel types, the highest bit means unordered.
    private const byte ReliableType = 0;
    private const byte RetransmissionsType = 1;
    private const byte LifetimeType = 2;
    private const byte UnorderedBit = 0x80;

    public static bool TryParse(ReadOnlySpan<byte> message, [NotNullWhen(true)] out DcepOpen? open)
    {
        open = null;
        if (message.Length < FixedLength || message[0] != OpenType) return false;
        var parameter = BinaryPrimitives.ReadUInt32BigEndian(message[4..]);
        int labelLength = BinaryPrimitives.ReadUInt16BigEndian(message[8..]);
        int protocolLength = BinaryPrimitives.ReadUInt16BigEndian(message[10..]);
        if (labelLength > MaximumTextLength || protocolLength > MaximumTextLength || message.Length < FixedLength + labelLength + protocolLength) return false;
        var label = message.Slice(FixedLength, labelLength);
        var protocol = message.Slice(FixedLength + labelLength, protocolLength);
        var isUnordered = (message[1] & UnorderedBit) != 0;
        SctpReliability? reliability = (message[1] & ~UnorderedBit) switch
        {
            ReliableType => new SctpReliability(isUnordered),
            RetransmissionsType => new SctpReliability(isUnordered, (ushort)Math.Min(parameter, ushort.MaxValue)),
            LifetimeType => new SctpReliability(isUnordered, Lifetime: TimeSpan.FromMilliseconds(parameter)),
            _ => null,
        };
        if (reliability is null || !Utf8.IsValid(label) || !Utf8.IsValid(protocol)) return false;
        open = new DcepOpen(Encoding.UTF8.GetString(label), Encoding.UTF8.GetString(protocol), reliability.Value);
        return true;
    }

    public byte[] Write()
    {
        var (type, parameter) = Reliability switch
        {
            { MaximumRetransmissions: { } retransmissions } => (RetransmissionsType, (uint)retransmissions),
            { Lifetime: { } lifetime } => (LifetimeType, (uint)lifetime.TotalMilliseconds),
            _ => (ReliableType, 0u),
        };
        var (label, protocol) = (Encoding.UTF8.GetBytes(Label), Encoding.UTF8.GetBytes(Protocol));
        var message = new byte[FixedLength + label.Length + protocol.Length];
        message[0] = OpenType;
        message[1] = (byte)(type | (Reliability.IsUnordered ? UnorderedBit : 0));
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), parameter);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(8), (ushort)label.Length);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(10), (ushort)protocol.Length);
        label.CopyTo(message, FixedLength);
        protocol.CopyTo(message, FixedLength + label.Length);
        return message;
    }
}
