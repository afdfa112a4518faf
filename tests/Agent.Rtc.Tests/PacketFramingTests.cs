namespace Agent.Rtc.Tests;

public sealed class PacketFramingTests
{
    [Fact]
    public void Packets_come_out_of_a_stream_as_they_went_in_wherever_it_is_cut()
    {
        byte[][] packets = [[1, 2, 3], [], new byte[1500]];
        var stream = new byte[packets.Sum(packet => PacketFraming.HeaderLength + packet.Length)];
        var end = 0;
        foreach (var packet in packets)
            end += PacketFraming.Write(stream.AsSpan(end), packet);
        Assert.Equal(stream.Length, end);
        Assert.Equal([0, 3, 1, 2, 3, 0, 0, 0x05, 0xDC], stream[..9]);

        for (var length = 0; length <= stream.Length; length++)
        {
            var rest = stream.AsSpan(0, length);
            var count = 0;
            while (PacketFraming.TryRead(rest, out var packet, out var consumed))
            {
                Assert.True(packet.SequenceEqual(packets[count++]));
                rest = rest[consumed..];
            }

            Assert.Equal(length == stream.Length ? 3 : length >= 7 ? 2 : length >= 5 ? 1 : 0, count);
        }
    }

    [Fact]
    public void A_length_is_known_before_its_packet_is_there()
    {
        Assert.False(PacketFraming.TryReadLength([0x05], out _));
        Assert.True(PacketFraming.TryReadLength([0xFF, 0xFF], out var length));
        Assert.Equal(ushort.MaxValue, length);
    }
}
