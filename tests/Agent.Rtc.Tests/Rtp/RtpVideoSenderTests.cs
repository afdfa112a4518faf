using System.Buffers.Binary;
using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Rtcp;
using static Agent.Rtc.Tests.Rtp.RtpSenderHarness;

namespace Agent.Rtc.Tests.Rtp;

public sealed class RtpVideoSenderTests
{
    [Fact]
    public void An_IDR_of_another_encoder_that_is_some_pictures_behind_replaces_what_waits_and_timestamps_still_grow()
    {
        var harness = new RtpSenderHarness();
        var begin = harness.Now;
        harness.WriteFrame(isKeyFrame: true, 3000);
        var timestamps = new List<RtpHeader>(harness.DrainRtp().Select(RtpSenderHarness.Header));
        harness.Now += RtpSenderHarness.FrameInterval;
        harness.WriteFrame(isKeyFrame: false, 3000);
        harness.Now = begin;
        harness.Sender.StartOver();
        Assert.Equal(1, harness.Sender.GetStatistics().FramesDropped);

        // The small layer is at the picture that was sent already, and goes on from there.
        for (var i = 0; i < 4; i++, harness.Now += RtpSenderHarness.FrameInterval)
        {
            harness.WriteFrame(isKeyFrame: i == 0, 500);
            timestamps.AddRange(harness.DrainRtp().Select(RtpSenderHarness.Header));
        }

        var pictures = timestamps.Select(static header => header.Timestamp).Distinct().ToList();
        Assert.Equal(5, pictures.Count);
        Assert.All(pictures.Zip(pictures.Skip(1)), static pair => Assert.InRange((int)(pair.Second - pair.First), 1, 2 * 3000));
        Assert.All(timestamps.Zip(timestamps.Skip(1)), static pair => Assert.Equal((ushort)(pair.First.SequenceNumber + 1), pair.Second.SequenceNumber));

        // Asked for again, a packet has the timestamp that it had.
        var again = timestamps[^1];
        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, again.SequenceNumber), harness.Now);
        var repeated = Assert.Single(harness.DrainRtp());
        Assert.Equal(again.Timestamp, RtpSenderHarness.Header(repeated).Timestamp);
    }

    [Fact]
    public void A_frame_goes_out_in_order_with_one_timestamp_mid_and_a_marker_on_its_last_packet()
    {
        var harness = new RtpSenderHarness();
        var units = harness.WriteFrame(isKeyFrame: true, 10_000);

        var packets = harness.DrainRtp();

        var headers = packets.ConvertAll(Header);
        Assert.Equal(Enumerable.Range(headers[0].SequenceNumber, packets.Count), headers.Select(header => (int)header.SequenceNumber));
        Assert.Equal([.. Enumerable.Repeat(false, packets.Count - 1), true], headers.Select(header => header.Marker));
        Assert.All(headers, header => Assert.Equal((headers[0].Timestamp, Ssrc, PayloadType), (header.Timestamp, header.Ssrc, header.PayloadType)));
        H264TestStream.AssertSame(units, H264Depacketizer.Depacketize(packets.Select(Payload)));
        Assert.All(packets, packet =>
        {
            Assert.True(RtpHeader.TryGetExtension(packet, MidExtensionId, out var mid));
            Assert.Equal("0"u8, mid);
        });
    }

    [Fact]
    public void The_timestamp_runs_at_90_kHz_from_a_random_offset()
    {
        var harness = new RtpSenderHarness(seed: 1);
        var other = new RtpSenderHarness(seed: 2);
        harness.WriteFrame(isKeyFrame: true, 100);
        other.WriteFrame(isKeyFrame: true, 100);
        harness.Now += TimeSpan.FromSeconds(1);
        harness.WriteFrame(isKeyFrame: false, 100);
        var packets = harness.DrainRtp().ConvertAll(Header);
        var otherPacket = Header(other.DrainRtp()[0]);

        Assert.Equal(90_000u, packets[1].Timestamp - packets[0].Timestamp);
        Assert.NotEqual(packets[0].Timestamp, otherPacket.Timestamp);
        Assert.NotEqual(packets[0].SequenceNumber, otherPacket.SequenceNumber);
        Assert.InRange(packets[0].SequenceNumber, 0, 0x7FFF);
    }

    [Fact]
    public void However_much_is_asked_for_again_retransmissions_take_no_more_than_the_video()
    {
        var harness = new RtpSenderHarness();
        long sent = 0, resent = 0;
        for (var i = 0; i < 60; i++)
        {
            harness.WriteFrame(isKeyFrame: i == 0, 20_000);
            var video = harness.DrainRtp();
            sent += video.Sum(packet => packet.Length);
            var last = Header(video[^1]).SequenceNumber;

            // Everything of the last second or so, every 5 ms, as a receiver on a fast path that floods would.
            for (var repeat = 0; repeat < 6; repeat++)
            {
                harness.Now += RtpSenderHarness.FrameInterval / 6;
                harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, Enumerable.Range(0, 300).Select(back => (ushort)(last - 299 + back))), harness.Now);
                resent += harness.DrainRtp().Sum(packet => packet.Length);
            }
        }

        Assert.InRange(resent, sent / 2, (sent + RetransmissionQueue.MaximumCredit) * 11 / 10); // the last term for headers
        Assert.True(Statistics(harness).RetransmissionsDropped > 0);
        harness.WriteFrame(isKeyFrame: false, 1000);
        Assert.NotEmpty(harness.DrainRtp());
    }

    /// <summary>A receiver waits for seconds for what it has asked for.</summary>
    [Fact]
    public void When_too_much_is_lost_to_be_sent_again_an_idr_takes_the_place_of_all_before_it()
    {
        var harness = new RtpSenderHarness();
        harness.WriteFrame(isKeyFrame: true, RetransmissionQueue.MaximumCredit * 3 / 4);
        var lost = harness.DrainRtp().Select(packet => Header(packet).SequenceNumber).ToArray();
        NackInParts(harness, lost);
        Assert.False(harness.Sender.TakeKeyFrameRequest());
        harness.Now += TimeSpan.FromMilliseconds(100);
        NackInParts(harness, lost);
        Assert.True(harness.Sender.TakeKeyFrameRequest());
        NackInParts(harness, lost);
        Assert.False(harness.Sender.TakeKeyFrameRequest());

        harness.WriteFrame(isKeyFrame: false, 5000);
        var begun = Header(harness.TryTakeRtp()!).SequenceNumber;
        harness.WriteFrame(isKeyFrame: false, 5000);
        var idr = harness.WriteFrame(isKeyFrame: true, 3000);
        var packets = harness.DrainRtp();

        H264TestStream.AssertSame(idr, H264Depacketizer.Depacketize(packets.Select(Payload)));
        Assert.Equal(begun + 1, Header(packets[0]).SequenceNumber);
        Assert.Equal(2, Statistics(harness).FramesDropped);
        harness.Now += TimeSpan.FromMilliseconds(100);
        NackInParts(harness, [.. lost, begun]);
        Assert.Empty(harness.DrainRtp());
        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, (ushort)(begun + 1)), harness.Now);
        Assert.Equal(Payload(packets[0]), Payload(harness.DrainRtp()[0])[sizeof(ushort)..]);
    }

    [Fact]
    public void Frames_before_the_first_idr_are_dropped_and_an_idr_is_asked_for()
    {
        var harness = new RtpSenderHarness();
        Assert.False(harness.Sender.TakeKeyFrameRequest());
        harness.WriteFrame(isKeyFrame: false, 100);
        Assert.True(harness.Sender.TakeKeyFrameRequest());
        harness.WriteFrame(isKeyFrame: false, 100);
        Assert.False(harness.Sender.TakeKeyFrameRequest());
        harness.Now += TimeSpan.FromSeconds(1);
        harness.WriteFrame(isKeyFrame: false, 100);
        Assert.True(harness.Sender.TakeKeyFrameRequest());
        Assert.Empty(harness.DrainRtp());

        harness.WriteFrame(isKeyFrame: true, 100);

        Assert.Single(harness.DrainRtp());
        Assert.Equal((3, 1, 1), (Statistics(harness).FramesDropped, Statistics(harness).FramesSent, Statistics(harness).KeyFramesSent));
    }

    [Theory]
    [InlineData(RtpSendBuffer.MaximumQueuedFrames + 1, 100, 1)]
    [InlineData(9, RtpSendBuffer.MaximumQueuedBytes / 8, 1)]
    [InlineData(3, 100, 700)]
    public void An_overflowing_queue_is_dropped_to_the_next_idr_but_for_the_frame_begun(int frames, int size, int millisecondsApart)
    {
        var harness = new RtpSenderHarness();
        var first = harness.WriteFrame(isKeyFrame: true, 3000);
        var sent = new List<byte[]> { harness.TryTakeRtp()! };
        for (var i = 1; i < frames; i++)
        {
            Assert.False(harness.Sender.TakeKeyFrameRequest());
            harness.Now += TimeSpan.FromMilliseconds(millisecondsApart);
            harness.WriteFrame(isKeyFrame: false, size);
        }

        Assert.True(harness.Sender.TakeKeyFrameRequest());
        Assert.Equal(frames - 1, Statistics(harness).FramesDropped);
        harness.WriteFrame(isKeyFrame: false, size);
        var last = harness.WriteFrame(isKeyFrame: true, 200);

        sent.AddRange(harness.DrainRtp());

        H264TestStream.AssertSame([.. first, .. last], H264Depacketizer.Depacketize(sent.Select(Payload)));
        Assert.Equal((frames, 2), (Statistics(harness).FramesDropped, Statistics(harness).KeyFramesSent));
    }

    [Fact]
    public void A_lost_packet_comes_again_as_rtx_ahead_of_queued_frames()
    {
        var harness = new RtpSenderHarness();
        harness.WriteFrame(isKeyFrame: true, 5000);
        var lost = harness.DrainRtp()[2];
        harness.WriteFrame(isKeyFrame: false, 100);

        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, Header(lost).SequenceNumber), harness.Now);
        var packets = harness.DrainRtp();

        var rtx = Header(packets[0]);
        Assert.Equal((RtxSsrc, RtxPayloadType, Header(lost).Timestamp, Header(lost).Marker), (rtx.Ssrc, rtx.PayloadType, rtx.Timestamp, rtx.Marker));
        byte[] originalSequence = [(byte)(Header(lost).SequenceNumber >> 8), (byte)Header(lost).SequenceNumber];
        Assert.Equal([.. originalSequence, .. Payload(lost)], Payload(packets[0]));
        Assert.Equal(2, packets.Count);
        Assert.Equal((1, 1), (Statistics(harness).NacksReceived, Statistics(harness).PacketsRetransmitted));
    }

    [Fact]
    public void Without_rtx_a_lost_packet_comes_again_byte_for_byte()
    {
        var harness = new RtpSenderHarness(rtx: false);
        harness.WriteFrame(isKeyFrame: true, 5000);
        var packets = harness.DrainRtp();

        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, packets.Select(packet => Header(packet).SequenceNumber)), harness.Now);

        Assert.Equal(packets, harness.DrainRtp());
    }

    [Fact]
    public void A_nack_repeated_within_a_round_trip_is_ignored()
    {
        var harness = new RtpSenderHarness();
        harness.WriteFrame(isKeyFrame: true, 100);
        var nack = RtcpTestPackets.Nack(Ssrc, Header(harness.DrainRtp()[0]).SequenceNumber);
        harness.Sender.HandleRtcp(nack, harness.Now);
        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Single(harness.DrainRtp());

        harness.Now += TimeSpan.FromMilliseconds(49);
        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Empty(harness.DrainRtp());

        harness.Now += TimeSpan.FromMilliseconds(1);
        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Single(harness.DrainRtp());
    }

    /// <summary>What was sent again 200 ms ago cannot have arrived yet where that is the round trip; receivers ask every 100 ms or less.</summary>
    [Fact]
    public void Once_the_round_trip_is_known_it_is_how_long_a_repeated_nack_is_ignored()
    {
        var harness = new RtpSenderHarness();
        harness.WriteFrame(isKeyFrame: true, 100);
        var nack = RtcpTestPackets.Nack(Ssrc, Header(harness.DrainRtp()[0]).SequenceNumber);
        AnswerNextReport(harness, TimeSpan.FromMilliseconds(200));

        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Single(harness.DrainRtp());
        harness.Now += TimeSpan.FromMilliseconds(199);
        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Empty(harness.DrainRtp());
        harness.Now += TimeSpan.FromMilliseconds(2);
        harness.Sender.HandleRtcp(nack, harness.Now);
        Assert.Single(harness.DrainRtp());
    }

    /// <summary>Without RTX a packet that is sent again must be the very same, under the same key stream.</summary>
    [Theory]
    [InlineData(true, "014028")] // 200 and 400 ms, in steps of 10
    [InlineData(false, "000000")]
    public void A_receiver_that_goes_on_losing_packets_is_asked_to_hold_pictures_back_where_they_are_sent_again_as_others(bool rtx, string expected)
    {
        const byte PlayoutDelayId = 9;
        const byte SevenPercent = 18; // of 256
        var harness = new RtpSenderHarness(rtx, extensions: new RtpExtensionIds { PlayoutDelay = PlayoutDelayId }, maximumBitrate: 2_000_000);
        for (var i = 0; i < 5; i++)
        {
            harness.WriteFrame(isKeyFrame: i == 0, 100);
            harness.DrainRtp();
            AnswerNextReport(harness, TimeSpan.FromMilliseconds(100), SevenPercent);
        }

        harness.WriteFrame(isKeyFrame: false, 100);
        Assert.True(RtpHeader.TryGetExtension(harness.DrainRtp()[0], PlayoutDelayId, out var extension));
        Assert.Equal(expected, Convert.ToHexString(extension));
        Assert.Equal(rtx ? 200 : 0, Statistics(harness).PlayoutDelayMinimum.TotalMilliseconds);
    }

    [Fact]
    public void A_nack_for_more_than_the_queue_holds_is_served_in_part_and_counted()
    {
        var harness = new RtpSenderHarness(maximumPayload: 64);
        harness.WriteFrame(isKeyFrame: true, 40_000);
        var packets = harness.DrainRtp();

        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, packets.Select(packet => Header(packet).SequenceNumber)), harness.Now);

        Assert.Equal(RetransmissionQueue.Capacity, harness.DrainRtp().Count);
        Assert.Equal(packets.Count - RetransmissionQueue.Capacity, Statistics(harness).RetransmissionsDropped);
    }

    [Fact]
    public void What_was_never_sent_or_left_the_history_is_not_retransmitted()
    {
        var harness = new RtpSenderHarness();
        harness.WriteFrame(isKeyFrame: true, 3000);
        var first = Header(harness.TryTakeRtp()!).SequenceNumber;
        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, (ushort)(first - 1), (ushort)(first + 1)), harness.Now);
        Assert.Equal(0, Statistics(harness).PacketsRetransmitted);
        harness.DrainRtp();
        Assert.Equal(0, Statistics(harness).PacketsRetransmitted);

        harness.Now += RtpSendBuffer.DefaultHistory + TimeSpan.FromTicks(1);
        harness.Sender.HandleTimeout(harness.Now);
        harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, first), harness.Now);

        Assert.Empty(harness.DrainRtp());
    }

    [Fact]
    public void Closing_releases_every_frame_and_says_bye_once()
    {
        var harness = new RtpSenderHarness();
        var frame = harness.Packetizer.Packetize(H264TestStream.MakeAccessUnit(0, true, 500), isKeyFrame: true);
        harness.Sender.WriteFrame(frame, harness.Now);
        harness.DrainRtp();
        harness.Sender.WriteFrame(frame, harness.Now);

        harness.Sender.Close();
        harness.Sender.WriteFrame(frame, harness.Now);

        frame.Release();
        Assert.Throws<InvalidOperationException>(frame.Release);
        Assert.Empty(harness.DrainRtp());
        var goodbye = harness.TryTakeRtcp()!;
        Assert.Equal([0x82, 203, 0, 2, .. RtcpTestPackets.U32(Ssrc), .. RtcpTestPackets.U32(RtxSsrc)], goodbye[^12..]);
        Assert.Null(harness.TryTakeRtcp());
        Assert.Equal(MonotonicTime.Never, harness.Sender.NextTimeout);
    }

    /// <summary>No more at once than the queue holds, and what comes of it goes out.</summary>
    private static void NackInParts(RtpSenderHarness harness, IEnumerable<ushort> sequenceNumbers)
    {
        foreach (var part in sequenceNumbers.Chunk(100))
        {
            harness.Sender.HandleRtcp(RtcpTestPackets.Nack(Ssrc, part), harness.Now);
            harness.DrainRtp();
        }
    }

    /// <summary>The receiver's report on the next sender report, which it has sent at once.</summary>
    private static void AnswerNextReport(RtpSenderHarness harness, TimeSpan roundTrip, byte fractionLost = 0)
    {
        harness.Now = harness.Sender.NextTimeout;
        // The middle 32 bits of its NTP timestamp (RFC 3550 §6.4.1).
        var lastSenderReport = BinaryPrimitives.ReadUInt32BigEndian(harness.TryTakeRtcp()!.AsSpan(10));
        harness.Now += roundTrip;
        harness.Sender.HandleRtcp(RtcpTestPackets.Report(Ssrc, fractionLost, 0, 0, lastSenderReport, delay: 0), harness.Now);
    }

    private static RtpVideoSenderStatistics Statistics(RtpSenderHarness harness) => harness.Sender.GetStatistics();
}
