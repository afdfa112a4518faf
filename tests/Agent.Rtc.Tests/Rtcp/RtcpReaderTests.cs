using Agent.Rtc.Rtcp;
using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Rtp;
using static Agent.Rtc.Tests.Rtcp.RtcpTestPackets;

namespace Agent.Rtc.Tests.Rtcp;

public sealed class RtcpReaderTests
{
    /// <summary>One of everything that a browser sends.</summary>
    private static readonly byte[] s_compound = Compound(
        Report(RtpSenderHarness.Ssrc, 10, 5, 90, 0, 0), ReceiverReferenceTime(), Packet(202, 1, U32(ReceiverSsrc), [1, 1, (byte)'a', 0]),
        Nack(RtpSenderHarness.Ssrc, 1, 2, 40), Pli(RtpSenderHarness.Ssrc), Fir(RtpSenderHarness.Ssrc, 1), Remb(RtpSenderHarness.Ssrc),
        TransportWide(RtpSenderHarness.Ssrc), Packet(204, 0, U32(ReceiverSsrc), "name"u8.ToArray()), Bye());

    [Fact]
    public void A_compound_packet_is_walked_packet_by_packet()
    {
        Assert.True(RtcpReader.TryCreate(s_compound, allowReducedSize: false, out var reader));
        var types = new List<int>();
        while (reader.TryRead(out var packet))
            types.Add(packet.Type);

        Assert.Equal([201, 207, 202, 205, 206, 206, 206, 205, 204, 203], types);
    }

    [Fact]
    public void Only_a_compound_that_begins_with_a_report_is_valid_unless_reduced_size_was_agreed()
    {
        Assert.False(RtcpReader.TryCreate(Pli(1), allowReducedSize: false, out _));
        Assert.True(RtcpReader.TryCreate(Pli(1), allowReducedSize: true, out _));
    }

    [Theory]
    [InlineData("80C90001", "length beyond the end")]
    [InlineData("40C9000100000001", "version 1")]
    [InlineData("A0C900010000000180C9000100000001", "padding in front of the last packet")]
    [InlineData("A0C9000100000000", "padding of zero octets")]
    [InlineData("A0C9000100000005", "more padding than body")]
    [InlineData("80C9000100000001FF", "a stray octet")]
    public void A_broken_outline_is_refused(string packet, string why) =>
        Assert.False(RtcpReader.TryCreate(Convert.FromHexString(packet), allowReducedSize: true, out _), why);

    [Fact]
    public void Padding_is_cut_off()
    {
        Assert.True(RtcpReader.TryCreate(Convert.FromHexString("A0C900020000000100000004"), allowReducedSize: false, out var reader));
        Assert.True(reader.TryRead(out var packet));
        Assert.Equal(U32(1), packet.Body);
    }

    [Fact]
    public void A_nack_names_its_packet_and_those_of_its_bit_mask_across_the_wraparound()
    {
        Assert.True(RtcpNackReader.TryCreate(Convert.FromHexString("FFFE8005" + "00200000"), out var reader));
        var sequenceNumbers = new List<int>();
        while (reader.TryRead(out var sequenceNumber))
            sequenceNumbers.Add(sequenceNumber);

        Assert.Equal([0xFFFE, 0xFFFF, 1, 14, 0x20], sequenceNumbers);
    }

    [Fact]
    public void A_report_block_is_read_with_its_signed_loss()
    {
        Assert.True(RtcpReader.TryCreate(Report(7, 128, -2, 900, 0xAABB_CCDD, 65_536), allowReducedSize: false, out var reader));
        Assert.True(reader.TryRead(out var packet));
        Assert.True(RtcpReportBlock.TryFind(packet, 7, out var block));
        Assert.Equal(new RtcpReportBlock(7, 128, -2, 70_000, 900, 0xAABB_CCDD, 65_536), block);
        Assert.True(RtcpReportBlock.TryFind(packet, 8, out var none));
        Assert.Null(none);
    }

    [Fact]
    public void A_packet_cut_anywhere_is_counted_as_malformed_unless_cut_between_packets()
    {
        var boundaries = new HashSet<int>();
        for (var offset = 0; offset < s_compound.Length;)
        {
            offset += 4 + 4 * (s_compound[offset + 2] << 8 | s_compound[offset + 3]);
            boundaries.Add(offset);
        }

        for (var length = 0; length <= s_compound.Length; length++)
        {
            var harness = new RtpSenderHarness(reducedSize: false);
            harness.Sender.HandleRtcp(s_compound.AsSpan(0, length), harness.Now);
            Assert.Equal(boundaries.Contains(length) ? 0 : 1, harness.Sender.GetStatistics().MalformedRtcp);
        }
    }

    /// <summary>Each packet by itself with a body that is too short, so that its own parser meets the end.</summary>
    [Theory]
    [InlineData(200, 1, 24)]
    [InlineData(201, 1, 4)]
    [InlineData(201, 0, 0)]
    [InlineData(205, 1, 4)]
    [InlineData(205, 1, 8)]
    [InlineData(206, 1, 4)]
    [InlineData(206, 4, 8)]
    [InlineData(206, 4, 12)]
    public void A_packet_too_short_for_its_type_is_counted(byte type, int count, int bodyLength)
    {
        var harness = new RtpSenderHarness();
        var body = Compound(U32(ReceiverSsrc), U32(RtpSenderHarness.Ssrc), new byte[64])[..bodyLength];

        harness.Sender.HandleRtcp(Packet(type, count, body), harness.Now);

        Assert.Equal(1, harness.Sender.GetStatistics().MalformedRtcp);
        Assert.False(harness.Sender.TakeKeyFrameRequest());
    }

    [Fact]
    public void Random_mutations_never_throw_and_the_sender_keeps_sending()
    {
        var random = new Random(9);
        var harness = new RtpSenderHarness();
        long malformed = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var packet = s_compound[..random.Next(s_compound.Length + 1)];
            if (packet.Length >= 4 && random.Next(2) == 0)
                packet = packet[..(packet.Length & ~3)];

            for (var j = random.Next(1, 5); j > 0 && packet.Length > 0; j--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);

            harness.Sender.HandleRtcp(packet, harness.Now);
            harness.Now += TimeSpan.FromMilliseconds(1);
            if (i % 33 == 0)
                harness.WriteFrame(isKeyFrame: i == 0, 2000);

            Assert.InRange(harness.DrainRtp().Count, 0, RetransmissionQueue.Capacity + 3);
            malformed = harness.Sender.GetStatistics().MalformedRtcp;
        }

        Assert.InRange(malformed, 1000, 20_000 * 10);
        Assert.Equal(20_000 / 33 + 1, harness.Sender.GetStatistics().FramesSent);
    }
}
