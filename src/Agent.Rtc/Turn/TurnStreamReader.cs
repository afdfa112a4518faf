using System.Buffers.Binary;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>Cuts the byte stream of a TURN server on TCP or TLS into STUN and ChannelData messages (RFC 8489 §6.2.2, RFC 8656 §12.5).</summary>
public sealed class TurnStreamReader
{
    /// <summary>Longest message taken: that of a datagram, with what TURN puts around it.</summary>
    public const int MaximumMessageLength = 2048;

    private readonly byte[] _buffer = new byte[8 * MaximumMessageLength];
    private int _start;
    private int _end;

    /// <summary>Where to put the next bytes of the stream; there is always room for a message. What was taken before is overwritten.</summary>
    public Span<byte> Space
    {
        get
        {
            if (_start > 0)
            {
                _buffer.AsSpan(_start.._end).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            return _buffer.AsSpan(_end);
        }
    }

    /// <summary>So many bytes have been put into <see cref="Space"/>.</summary>
    public void Advance(int count) => _end += count;

    /// <summary>Takes the next whole message, which stays valid until <see cref="Space"/> is asked for.</summary>
    /// <param name="message">Without padding for ChannelData; empty if more bytes are needed.</param>
    /// <returns>False if the stream is no longer one of TURN messages: the connection is of no use any more.</returns>
    public bool TryTake(out Span<byte> message)
    {
        message = default;
        var rest = _buffer.AsSpan(_start.._end);
        if (rest.Length < ChannelData.HeaderLength)
        {
            return true;
        }

        // Both kinds have their length in the same place (RFC 8656 §12.4); the first bits tell them apart.
        var length = (int)BinaryPrimitives.ReadUInt16BigEndian(rest[StunFormat.LengthOffset..]);
        var isChannelData = ChannelData.IsFirstByte(rest[0]);
        if (!isChannelData && ((rest[0] & ~(StunFormat.TypeMask >> 8)) != 0 || length % StunFormat.Alignment != 0))
        {
            return false;
        }

        length += isChannelData ? ChannelData.HeaderLength : StunFormat.HeaderLength;
        var occupied = StunFormat.Padded(length);
        if (occupied > MaximumMessageLength)
        {
            return false;
        }

        if (occupied <= rest.Length)
        {
            message = rest[..length];
            _start += occupied;
        }

        return true;
    }
}
