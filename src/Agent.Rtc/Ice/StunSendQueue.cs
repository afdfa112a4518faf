using Agent.Rtc.Stun;

namespace Agent.Rtc.Ice;

/// <summary>What a message to send is made of; the bytes are written when it is taken out.</summary>
internal struct OutgoingMessage
{
    public StunClass Class;
    public StunTransactionId Id;
    public TransportAddress Local;
    public TransportAddress Remote;

    /// <summary>Signs the message; <c>null</c> for the unsigned errors of RFC 8489 §9.1.3.</summary>
    public byte[]? Key;

    /// <summary>Requests only.</summary>
    public byte[]? Username;

    /// <summary>Requests only.</summary>
    public uint Priority;

    /// <summary>Requests only.</summary>
    public IceRole Role;

    /// <summary>Requests only.</summary>
    public ulong TieBreaker;

    /// <summary>Requests only.</summary>
    public bool UseCandidate;

    /// <summary>Error responses only.</summary>
    public int ErrorCode;

    /// <summary>Error 420 only.</summary>
    public StunUnknownAttributes Unknown;

    /// <summary>Error 420 only.</summary>
    public int UnknownCount;
}

/// <summary>Messages to send, first in first out, in a fixed ring. Full: the newest is dropped and counted.</summary>
internal sealed class StunSendQueue
{
    private readonly OutgoingMessage[] _ring = new OutgoingMessage[IceLimits.MaximumQueuedMessages];
    private int _head;
    private int _count;

    public long Dropped { get; private set; }

    public void Enqueue(in OutgoingMessage message)
    {
        if (_count == _ring.Length)
        {
            Dropped++;
            return;
        }

        _ring[(_head + _count) % _ring.Length] = message;
        _count++;
    }

    public void Clear()
    {
        Array.Clear(_ring);
        _head = 0;
        _count = 0;
    }

    public bool TryDequeue(Span<byte> buffer, out Transmit transmit)
    {
        if (_count == 0)
        {
            transmit = default;
            return false;
        }

        ref readonly var message = ref _ring[_head];
        transmit = new Transmit(Write(in message, buffer), message.Local, message.Remote);
        _head = (_head + 1) % _ring.Length;
        _count--;
        return true;
    }

    private static int Write(in OutgoingMessage message, Span<byte> buffer)
    {
        var writer = new StunMessageWriter(buffer, message.Class, message.Id);
        switch (message.Class)
        {
            case StunClass.Request:
                writer.WriteAttribute(StunAttributeType.Username, message.Username);
                writer.WriteUInt32(StunAttributeType.Priority, message.Priority);
                writer.WriteUInt64(
                    message.Role == IceRole.Controlling ? StunAttributeType.IceControlling : StunAttributeType.IceControlled,
                    message.TieBreaker);
                if (message.UseCandidate)
                {
                    writer.WriteAttribute(StunAttributeType.UseCandidate, []);
                }

                break;
            case StunClass.SuccessResponse:
                writer.WriteXorMappedAddress(message.Remote);
                break;
            default:
                writer.WriteErrorCode(message.ErrorCode, Reason(message.ErrorCode));
                if (message.UnknownCount > 0)
                {
                    writer.WriteUnknownAttributes(((ReadOnlySpan<ushort>)message.Unknown)[..message.UnknownCount]);
                }

                break;
        }

        if (message.Key is not null)
        {
            writer.WriteMessageIntegrity(message.Key);
        }

        writer.WriteFingerprint();
        return writer.Length;
    }

    // The phrases of RFC 8489 §14.8 and RFC 8445 §7.3.1.1.
    private static string Reason(int errorCode) => errorCode switch
    {
        StunErrorCode.BadRequest => "Bad Request",
        StunErrorCode.Unauthenticated => "Unauthenticated",
        StunErrorCode.UnknownAttribute => "Unknown Attribute",
        StunErrorCode.RoleConflict => "Role Conflict",
        _ => "Error",
    };
}
