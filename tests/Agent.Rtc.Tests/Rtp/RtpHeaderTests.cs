using Agent.Rtc.Rtp;

namespace Agent.Rtc.Tests.Rtp;

public sealed class RtpHeaderTests
{
    private static readonly RtpHeader s_header = new(true, 102, 0xABCD, 0x0123_4567, 0x89AB_CDEF);

    [Fact]
    public void Contributing_sources_padding_and_other_extensions_are_passed_over()
    {
        var packet = Convert.FromHexString("B2E6ABCD0123456789ABCDEF" + "1111111122222222" + "BEDE0002" + "0010AA0051BBCC00" + "010203" + "000002");

        Assert.True(RtpHeader.TryGetPayload(packet, out var header, out var payload));

        Assert.Equal(s_header, header);
        Assert.Equal("01020300", Convert.ToHexString(payload));
        Assert.True(RtpHeader.TryGetExtension(packet, 1, out var first));
        Assert.Equal("AA", Convert.ToHexString(first));
        Assert.True(RtpHeader.TryGetExtension(packet, 5, out var second));
        Assert.Equal("BBCC", Convert.ToHexString(second));
    }

    [Fact]
    public void A_packet_cut_anywhere_is_read_as_far_as_it_makes_sense()
    {
        var packet = Convert.FromHexString("92E6ABCD0123456789ABCDEF" + "1111111122222222" + "BEDE0001" + "51BBCC00" + "0102");
        const int HeaderLength = 12 + 8 + 4 + 4;
        for (var length = 0; length <= packet.Length; length++)
        {
            Assert.Equal(length >= HeaderLength, RtpHeader.TryParse(packet.AsSpan(0, length), out _, out _));
            Assert.Equal(length >= HeaderLength, RtpHeader.TryGetPayload(packet.AsSpan(0, length), out _, out var payload));
            Assert.Equal(Math.Max(0, length - HeaderLength), payload.Length);
            Assert.Equal(length >= HeaderLength, RtpHeader.TryGetExtension(packet.AsSpan(0, length), 5, out _));
        }
    }

    [Fact]
    public void Random_mutations_never_throw_and_stay_within_the_packet()
    {
        var random = new Random(11);
        var original = Convert.FromHexString("B2E6ABCD0123456789ABCDEF" + "1111111122222222" + "BEDE0002" + "0010AA0051BBCC00" + "010203" + "000002");
        var read = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var packet = original[..random.Next(original.Length + 1)];
            for (var j = random.Next(4); j > 0 && packet.Length > 0; j--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);

            if (RtpHeader.TryGetPayload(packet, out _, out var payload))
            {
                Assert.InRange(payload.Length, 0, packet.Length - RtpHeader.FixedLength);
                read++;
            }

            for (byte id = 0; id < 16; id++)
            {
                if (RtpHeader.TryGetExtension(packet, id, out var extension))
                    Assert.InRange(extension.Length, 1, RtpHeader.MaximumExtensionLength);
            }
        }

        Assert.InRange(read, 1, 50_000);
    }
}
