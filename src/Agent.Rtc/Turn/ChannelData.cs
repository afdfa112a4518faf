using System.Buffers.Binary;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>The ChannelData message (RFC 8656 §12.4): channel number, length, data; on a stream padded to four bytes (§12.5).</summary>
internal static class ChannelData
{
    public const int HeaderLength = 4;

    /// <summary>Whether a message that begins so is ChannelData (RFC 8656 §12): STUN messages begin with two zero bits.</summary>
    public static bool IsFirstByte(byte first) => first is >= TurnFormat.FirstChannel >> 8 and <= TurnFormat.LastChannel >> 8;

    /// <summary>Reads a whole datagram, or a message cut out of a stream; bytes behind the data are padding.</summary>
    /// <returns>False if it is not ChannelData or is cut short.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out ushort channel, out int length)
    {
        channel = 0;
        length = 0;
        if (message.Length < HeaderLength)
        {
            return false;
        }

        channel = BinaryPrimitives.ReadUInt16BigEndian(message);
        length = BinaryPrimitives.ReadUInt16BigEndian(message[sizeof(ushort)..]);
        return channel is >= TurnFormat.FirstChannel and <= TurnFormat.LastChannel && length <= message.Length - HeaderLength;
    }

    /// <summary>Puts the header before the first <paramref name="length"/> bytes of the buffer, which move up to make room.</summary>
    /// <returns>Bytes of the message.</returns>
    public static int Wrap(Span<byte> buffer, int length, ushort channel, bool isStream)
    {
        buffer[..length].CopyTo(buffer[HeaderLength..]);
        BinaryPrimitives.WriteUInt16BigEndian(buffer, channel);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[sizeof(ushort)..], (ushort)length);
        var end = HeaderLength + length;
        if (!isStream)
        {
            return end;
        }

        buffer[end..StunFormat.Padded(end)].Clear();
        return StunFormat.Padded(end);
    }
}
