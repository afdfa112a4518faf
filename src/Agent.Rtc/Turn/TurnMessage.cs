using System.Buffers.Binary;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>A STUN message as a TURN client reads it (RFC 8656 §18): a view of the bytes it was read from.</summary>
internal ref struct TurnMessage
{
    /// <summary>
    /// RFC 8489 §14.9, §14.10 allow 127 characters each, which are fewer bytes than this unless most are not ASCII. A request repeats both, and
    /// must fit a datagram.
    /// </summary>
    public const int MaximumTextLength = 400;

    private StunMessage _stun;

    public readonly StunClass Class => _stun.Class;

    public readonly ushort Method => _stun.Method;

    public readonly StunTransactionId TransactionId => _stun.TransactionId;

    /// <summary>0 if absent.</summary>
    public readonly int ErrorCode => _stun.ErrorCode;

    public readonly TransportAddress MappedAddress => _stun.XorMappedAddress;

    public readonly bool HasMessageIntegrity => _stun.HasMessageIntegrity;

    public ReadOnlySpan<byte> Realm { get; private set; }

    public ReadOnlySpan<byte> Nonce { get; private set; }

    /// <summary>Null if absent.</summary>
    public TimeSpan? Lifetime { get; private set; }

    /// <summary>The relayed transport address of each family, or <c>default</c>.</summary>
    public TransportAddress RelayedIPv4 { get; private set; }

    /// <summary>See <see cref="RelayedIPv4"/>.</summary>
    public TransportAddress RelayedIPv6 { get; private set; }

    public TransportAddress PeerAddress { get; private set; }

    /// <summary>Where DATA's value lies in the message; 0 if there is none.</summary>
    public int DataOffset { get; private set; }

    public int DataLength { get; private set; }

    public TransportAddress AlternateServer { get; private set; }

    /// <summary>Why the server gave no address of the additional family (RFC 8656 §18.12); 0 if it did or none was asked for.</summary>
    public int AdditionalFamilyErrorCode { get; private set; }

    /// <summary>An attribute that must be understood is not (RFC 8489 §6.3.3): the message must not be acted upon.</summary>
    public bool HasUnknownAttribute { get; private set; }

    /// <summary>Reads a whole message.</summary>
    /// <returns>False if it is malformed.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out TurnMessage message)
    {
        message = default;
        if (!StunMessage.TryParse(bytes, out message._stun))
        {
            return false;
        }

        var attributes = message._stun.GetAttributes();
        while (attributes.TryTake(out var type, out var value, out var offset))
        {
            if (!message.TryRead(type, value, offset, bytes))
            {
                message = default;
                return false;
            }
        }

        return true;
    }

    /// <inheritdoc cref="StunMessage.VerifyMessageIntegrity"/>
    public readonly bool VerifyMessageIntegrity(ReadOnlySpan<byte> key) => _stun.VerifyMessageIntegrity(key);

    private bool TryRead(StunAttributeType type, ReadOnlySpan<byte> value, int offset, ReadOnlySpan<byte> message)
    {
        TransportAddress address;
        switch (type)
        {
            case StunAttributeType.Realm:
                Realm = value;
                return value.Length <= MaximumTextLength;
            case StunAttributeType.Nonce:
                Nonce = value;
                return value.Length <= MaximumTextLength;
            case StunAttributeType.Lifetime:
                Lifetime = value.Length == sizeof(uint) ? TimeSpan.FromSeconds(BinaryPrimitives.ReadUInt32BigEndian(value)) : null;
                return Lifetime is not null;
            case StunAttributeType.XorRelayedAddress:
                if (!StunFormat.TryReadAddress(value, message, out address))
                {
                    return false;
                }

                (RelayedIPv4, RelayedIPv6) = address.IsIPv4 ? (address, RelayedIPv6) : (RelayedIPv4, address);
                return true;
            case StunAttributeType.XorPeerAddress:
                var isPeer = StunFormat.TryReadAddress(value, message, out address);
                PeerAddress = address;
                return isPeer;
            case StunAttributeType.Data:
                (DataOffset, DataLength) = (offset, value.Length);
                return true;
            case StunAttributeType.AlternateServer:
                var isServer = StunFormat.TryReadAddress(value, default, out address);
                AlternateServer = address;
                return isServer;
            case StunAttributeType.AddressErrorCode:
                var isCode = StunFormat.TryReadErrorCode(value, out var code);
                AdditionalFamilyErrorCode = code;
                return isCode;
            case StunAttributeType.MappedAddress or StunAttributeType.Username or StunAttributeType.ErrorCode or StunAttributeType.UnknownAttributes
                or StunAttributeType.ChannelNumber or StunAttributeType.XorMappedAddress or StunAttributeType.RequestedAddressFamily
                or StunAttributeType.RequestedTransport:
                return true;
            default:
                HasUnknownAttribute |= (ushort)type < StunFormat.ComprehensionOptionalStart;
                return true;
        }
    }
}
