using System.Buffers.Binary;
using System.Text;
using Agent.Rtc.Rtcp;
using Agent.Rtc.Tests.Rtp;
using static Agent.Rtc.Tests.Rtcp.RtcpTestPackets;
using static Agent.Rtc.Tests.Rtp.RtpSenderHarness;

namespace Agent.Rtc.Tests.Rtcp;

public sealed class SenderReportTests
{
    /// <summary>NTP time of 2026-01-01 (RFC 5905 §6: 2208988800 s from 1900 to the Unix epoch).</summary>
    private const uint NtpSecondsOf2026 = 2_208_988_800u + 1_767_225_600u;

    private readonly RtpSenderHarness _harness = new();

    [Fact]
    public void A_report_says_what_was_sent_and_what_the_media_clock_reads_now()
    {
        _harness.WriteFrame(isKeyFrame: true, 5000);
        var packets = _harness.DrainRtp();
        _harness.Now = _harness.Sender.NextTimeout;

        var report = _harness.TryTakeRtcp()!;

        var sinceCapture = _harness.Now - MonotonicTime.From(TimeSpan.FromSeconds(100));
        Assert.Equal([0x80, 200, 0, 6, .. U32(Ssrc)], report[..8]);
        Assert.Equal(NtpSecondsOf2026 + (uint)_harness.Now.SinceZero.TotalSeconds, ReadU32(report, 8));
        Assert.Equal(_harness.Now.SinceZero.TotalSeconds % 1, ReadU32(report, 12) / Math.Pow(2, 32), tolerance: 1e-6);
        Assert.Equal(Header(packets[0]).Timestamp + (uint)(sinceCapture.TotalSeconds * 90_000), ReadU32(report, 16));
        Assert.Equal((uint)packets.Count, ReadU32(report, 20));
        Assert.Equal((uint)packets.Sum(packet => Payload(packet).Length), ReadU32(report, 24));
        Assert.Equal([0x81, 202, 0, 5, .. U32(Ssrc), 1, 10, .. "cname@test"u8, 0, 0, 0, 0], report[28..]);
    }

    [Fact]
    public void Before_anything_is_sent_the_report_is_an_empty_receiver_report()
    {
        _harness.Now = _harness.Sender.NextTimeout;

        Assert.Equal([0x80, 201, 0, 1, .. U32(Ssrc), 0x81, 202], _harness.TryTakeRtcp()![..10]);
    }

    [Fact]
    public void Reports_come_about_once_a_second_and_not_all_at_the_same_distance()
    {
        var start = _harness.Now;
        var distances = new List<double>();
        for (var last = start; distances.Count < 200; last = _harness.Now)
        {
            _harness.Now = _harness.Sender.NextTimeout - TimeSpan.FromTicks(1);
            Assert.Null(_harness.TryTakeRtcp());
            _harness.Now += TimeSpan.FromTicks(1);
            Assert.NotNull(_harness.TryTakeRtcp());
            distances.Add((_harness.Now - last).TotalSeconds);
        }

        Assert.InRange(distances[0], 0.25, 0.75);
        Assert.All(distances.Skip(1), distance => Assert.InRange(distance, 0.5, 1.5));
        Assert.InRange(distances.Average(), 0.9, 1.1);
        Assert.Equal(distances.Count, distances.Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void The_items_end_with_a_zero_at_a_word_boundary(int length)
    {
        var buffer = new byte[100];
        var writer = new RtcpWriter(buffer);

        writer.WriteCname(1, Encoding.UTF8.GetBytes(new string('c', length)));

        Assert.Equal(0, writer.Length % 4);
        Assert.Equal(0, buffer[4 + 4 + 2 + length]);
        Assert.InRange(writer.Length - (4 + 4 + 2 + length), 1, 4);
        Assert.Equal(writer.Length / 4 - 1, buffer[3]);
    }

    [Fact]
    public void A_receiver_report_gives_round_trip_loss_and_jitter_even_if_the_wall_clock_is_set()
    {
        _harness.WriteFrame(isKeyFrame: true, 5000);
        _harness.DrainRtp();
        _harness.Now = _harness.Sender.NextTimeout;
        var sent = _harness.TryTakeRtcp()!;
        var lastSenderReport = BinaryPrimitives.ReadUInt32BigEndian(sent.AsSpan(10));
        _harness.Now += TimeSpan.FromMilliseconds(580);

        _harness.Sender.HandleRtcp(Report(Ssrc, 64, 12, 1800, lastSenderReport, 65_536 / 2), _harness.Now);

        var statistics = _harness.Sender.GetStatistics();
        Assert.Equal(TimeSpan.FromMilliseconds(80), statistics.RoundTripTime);
        Assert.Equal(TimeSpan.FromMilliseconds(20), statistics.Jitter);
        Assert.Equal((0.25, 12), (statistics.FractionLost, statistics.CumulativeLost));
    }

    [Fact]
    public void A_report_on_an_unknown_sender_report_or_another_source_changes_no_round_trip()
    {
        _harness.WriteFrame(isKeyFrame: true, 5000);
        _harness.DrainRtp();
        _harness.Now = _harness.Sender.NextTimeout;
        _harness.TryTakeRtcp();

        _harness.Sender.HandleRtcp(Report(Ssrc, 64, 12, 1800, 0, 0), _harness.Now);
        _harness.Sender.HandleRtcp(Report(RtxSsrc, 1, 99, 1, 0, 0), _harness.Now);

        Assert.Null(_harness.Sender.GetStatistics().RoundTripTime);
        Assert.Equal(12, _harness.Sender.GetStatistics().CumulativeLost);
    }

    [Fact]
    public void Each_picture_loss_indication_and_each_new_full_intra_request_asks_for_an_idr()
    {
        Assert.True(Asks(Pli(Ssrc)));
        Assert.True(Asks(Fir(Ssrc, 200)));
        Assert.False(Asks(Fir(Ssrc, 200)));
        Assert.True(Asks(Fir(Ssrc, 201)));
        Assert.False(Asks(Pli(RtxSsrc)));
        Assert.False(Asks(Fir(RtxSsrc, 202)));
        Assert.False(Asks(Remb(Ssrc)));
        Assert.False(Asks(Compound(EmptyReport(), TransportWide(Ssrc), ReceiverReferenceTime())));

        var statistics = _harness.Sender.GetStatistics();
        Assert.Equal((1, 2, 0), (statistics.PlisReceived, statistics.FirsReceived, statistics.MalformedRtcp));

        bool Asks(byte[] packet)
        {
            _harness.Sender.HandleRtcp(packet, _harness.Now);
            return _harness.Sender.TakeKeyFrameRequest();
        }
    }

    [Fact]
    public void A_bye_of_the_peer_is_remembered()
    {
        Assert.False(_harness.Sender.RemoteSaidBye);

        _harness.Sender.HandleRtcp(Compound(EmptyReport(), Bye()), _harness.Now);

        Assert.True(_harness.Sender.RemoteSaidBye);
    }

    private static uint ReadU32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(offset));
}
