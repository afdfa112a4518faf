using System.Buffers.Binary;
using Agent.Rtc.Congestion;
using Agent.Rtc.Rtcp;
using Agent.Rtc.Tests.Rtcp;

namespace Agent.Rtc.Tests.Congestion;

public sealed class LinkEstimateTests
{
    private const long Maximum = 5_000_000;
    private const int PacketsPerFeedback = 20;

    [Fact]
    public void Whatever_feedback_says_the_estimate_stays_within_its_bounds()
    {
        var random = new Random(6);
        var now = MonotonicTime.From(TimeSpan.FromHours(1));
        var link = new LinkEstimate(hasTransportFeedback: true, Maximum, now);
        for (var i = 0; i < 20_000; i++)
        {
            now += TimeSpan.FromMilliseconds(random.Next(40));
            for (var j = random.Next(30); j > 0; j--)
                link.NoteSent(random.Next(2000), now);

            var arrivals = new TimeSpan?[random.Next(1, 60)];
            var time = TimeSpan.FromSeconds(random.Next(100_000));
            for (var j = 0; j < arrivals.Length; j++)
                arrivals[j] = j > 0 && random.Next(3) == 0 ? null : time += TimeSpan.FromMicroseconds(250 * random.Next(-5000, 5000));

            var bytes = TransportFeedbackPackets.MakeControlInformation((ushort)random.Next(1 << 16), arrivals, random);
            for (var j = random.Next(3); j > 0; j--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

            if (RtcpTransportFeedback.TryCreate(bytes, out var feedback))
                link.HandleFeedback(ref feedback, now);

            link.HandleReport(random.NextDouble(), TimeSpan.FromSeconds(random.NextDouble()), now);
            link.HandleTimeout(now);
            Assert.InRange(link.BitsPerSecond, LinkEstimate.Minimum, Maximum);
        }
    }

    [Fact]
    public void Nothing_is_allocated_for_a_packet_or_for_feedback()
    {
        const int WarmUp = 200;
        const int Rounds = 2000;
        var now = MonotonicTime.From(TimeSpan.FromHours(1));
        var congestion = new CongestionControl(hasTransportFeedback: true, Maximum, now);
        var arrivals = Enumerable.Range(0, PacketsPerFeedback).Select(i => (TimeSpan?)TimeSpan.FromMilliseconds(5 * i)).ToArray();
        var feedback = TransportFeedbackPackets.MakeControlInformation(0, arrivals);
        long before = 0;
        for (var round = 0; round < WarmUp + Rounds; round++)
        {
            if (round == WarmUp)
                before = GC.GetAllocatedBytesForCurrentThread();

            for (var i = 0; i < PacketsPerFeedback; i++)
            {
                congestion.NoteSent(1000, 0, isRepair: i == 0, now);
                now += TimeSpan.FromMilliseconds(5);
            }

            // The next packets, 64 ms and a delta later.
            BinaryPrimitives.WriteUInt16BigEndian(feedback, (ushort)(round * PacketsPerFeedback));
            BinaryPrimitives.WriteInt32BigEndian(feedback.AsSpan(4), (int)(now.SinceZero.TotalMilliseconds / 64) << 8);
            Assert.True(RtcpTransportFeedback.TryCreate(feedback, out var parsed));
            congestion.HandleTransportFeedback(ref parsed, now);
            Assert.True(congestion.VideoBitrate > 0);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.NotNull(congestion.Link.Acknowledged);
    }
}
