using System.Buffers.Binary;

namespace Agent.Rtc.Stun;

/// <summary>Walks the attributes of a message that <see cref="StunMessage"/> has found well-formed.</summary>
internal ref struct StunAttributes(ReadOnlySpan<byte> datagram, int end)
{
    private readonly ReadOnlySpan<byte> _datagram = datagram;
    private int _next = StunFormat.HeaderLength;

    /// <summary>Takes the next attribute, if there is one.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="value">Its value without padding.</param>
    /// <param name="offset">Where the value begins in the datagram.</param>
    public bool TryTake(out StunAttributeType type, out ReadOnlySpan<byte> value, out int offset)
    {
        if (_next >= end)
        {
            type = default;
            value = default;
            offset = 0;
            return false;
        }

        type = (StunAttributeType)BinaryPrimitives.ReadUInt16BigEndian(_datagram[_next..]);
        var length = BinaryPrimitives.ReadUInt16BigEndian(_datagram[(_next + sizeof(ushort))..]);
        offset = _next + StunFormat.AttributeHeaderLength;
        value = _datagram.Slice(offset, length);
        _next = offset + StunFormat.Padded(length);
        return true;
    }
}
