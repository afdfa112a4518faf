using System.Buffers.Binary;
using System.Text;
using Agent.Rtc.Sctp;

namespace Agent.Rtc.Tests.Sctp;

public sealed class SctpWireTests
{
    [Theory]
    // RFC 3720 §B.4, the test vectors of CRC-32C, as the value that is sent in little-endian order.
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000", 0x8A9136AAu)]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 0x62A8AB43u)]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0x46DD794Eu)]
    [InlineData("1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100", 0x113FDB5Cu)]
    [InlineData("313233343536373839", 0xE3069283u)]
    public void Checksums_are_those_of_the_published_vectors(string hex, uint expected) => Assert.Equal(expected, Crc32c.Of(Convert.FromHexString(hex)));

    [Fact]
    public void The_checksum_of_a_packet_takes_its_own_field_for_zero()
    {
        var packet = Packet(SctpChunkType.Sack, [.. "0123456789ab"u8]);
        var copy = (byte[])packet.Clone();
        copy.AsSpan(8, 4).Clear();
        Assert.Equal(Crc32c.Of(copy), BinaryPrimitives.ReadUInt32LittleEndian(packet.AsSpan(8)));
    }

    [Fact]
    public void A_packet_with_any_bit_changed_or_cut_at_any_length_is_no_packet()
    {
        var packet = Packet(SctpChunkType.Data, [.. Enumerable.Range(0, 60).Select(i => (byte)i)]);
        Assert.True(SctpPacket.TryParse(packet, out var parsed));
        Assert.Equal((5000, 5001, 0xCAFEu), (parsed.SourcePort, parsed.DestinationPort, parsed.VerificationTag));
        for (var length = 0; length < packet.Length; length++) Assert.False(SctpPacket.TryParse(packet.AsSpan(0, length), out _));
        for (var bit = 0; bit < 8 * packet.Length; bit++)
        {
            var copy = (byte[])packet.Clone();
            copy[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SctpPacket.TryParse(copy, out _));
        }
    }

    [Fact]
    public void Chunk_values_cut_at_any_length_are_refused_or_read_within_their_bounds()
    {
        // INIT ACK: tag, window, streams, TSN; cookie of 5 bytes; both extensions.
        var init = Convert.FromHexString("0000000100010000000400080000000700070009" + "0102030405000000" + "c0000004" + "80080006c0820000");
        Assert.True(SctpInit.TryRead(init, out var read, out var cookie));
        Assert.Equal(new SctpInit(1, 0x10000, 4, 8, 7, true, true), read);
        Assert.Equal([1, 2, 3, 4, 5], cookie.ToArray());
        var sack = Convert.FromHexString("00000009000100000002000100020003000500060000000b");
        Assert.True(SctpSack.TryRead(sack, out var gaps));
        Assert.Equal(((ushort)2, (ushort)3, (ushort)5, (ushort)6), (gaps.GetGap(0).Start, gaps.GetGap(0).End, gaps.GetGap(1).Start, gaps.GetGap(1).End));
        var forward = Convert.FromHexString("0000000900010002000300040005");
        Assert.True(SctpForwardTsn.TryRead(forward, out var skip));
        Assert.Equal(2, skip.SkipCount);
        Assert.Equal(((ushort)3, (ushort)4), skip.GetSkip(1));
        for (var length = 0; length < init.Length; length++) Assert.Equal(length >= SctpInit.FixedLength, SctpInit.TryRead(init.AsSpan(0, length), out _, out _));
        for (var length = 0; length < sack.Length; length++) Assert.Equal(length >= SctpSack.FixedLength + (2 * SctpSack.GapLength), SctpSack.TryRead(sack.AsSpan(0, length), out _));
        for (var length = 0; length < 4; length++) Assert.False(SctpForwardTsn.TryRead(forward.AsSpan(0, length), out _));
        for (var length = 0; length < 12; length++) Assert.False(SctpData.TryRead(new SctpTlv(3, init.AsSpan(0, length)), out _));
    }

    [Theory]
    [InlineData("0000000000010000000400080000000700")]
    [InlineData("0000000100010000000000080000000700")]
    [InlineData("0000000100010000000400000000000700")]
    public void An_init_without_tag_or_streams_is_refused(string hex) => Assert.False(SctpInit.TryRead(Convert.FromHexString(hex), out _, out _));

    [Theory]
    [InlineData("00030003")] // shorter than its header
    [InlineData("00030009aabbcc")] // longer than what is there
    [InlineData("0003")]
    public void A_chunk_that_does_not_fit_ends_the_walk(string hex)
    {
        var reader = new SctpTlvReader(Convert.FromHexString(hex));
        Assert.False(reader.TryRead(out _));
    }

    [Fact]
    public void A_cookie_is_good_as_it_was_made_for_a_minute_only()
    {
        var (key, now) = (Encoding.ASCII.GetBytes("a key of thirty-two bytes exact!"), MonotonicTime.From(TimeSpan.FromHours(1)));
        var peer = new SctpInit(1, 2, 3, 4, 5, true, false);
        var cookie = new byte[SctpCookie.Length];
        SctpCookie.Write(cookie, peer, key, now);
        Assert.True(SctpCookie.TryRead(cookie, key, now + TimeSpan.FromSeconds(59), out var read));
        Assert.Equal(peer, read);
        Assert.False(SctpCookie.TryRead(cookie, key, now + TimeSpan.FromSeconds(61), out _));
        for (var i = 0; i < cookie.Length; i++)
        {
            var changed = (byte[])cookie.Clone();
            changed[i]++;
            Assert.False(SctpCookie.TryRead(changed, key, now, out _));
            Assert.False(SctpCookie.TryRead(cookie.AsSpan(0, i), key, now, out _));
        }
    }

    internal static byte[] Packet(SctpChunkType type, byte[] value, uint tag = 0xCAFE, ushort source = 5000, ushort destination = 5001, byte flags = 3)
    {
        var buffer = new byte[SctpFormat.MaximumPacketLength];
        var writer = new SctpPacketWriter(buffer);
        value.CopyTo(writer.Add(type, flags, value.Length));
        return buffer[..writer.Finish(source, destination, tag)];
    }
}
