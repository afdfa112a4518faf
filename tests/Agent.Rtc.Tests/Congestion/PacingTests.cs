using Agent.Rtc.Congestion;
using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Rtcp;

namespace Agent.Rtc.Tests.Congestion;

public sealed class PacingTests
{
    private const long Megabit = 1_000_000;

    /// <summary>2.5 times the estimate, and a burst of 10 ms ahead of that.</summary>
    [Fact]
    public void A_large_picture_leaves_spread_over_time_and_an_ordinary_one_at_once()
    {
        var network = new SimulatedNetwork(1);
        var stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", network.Now, 4 * Megabit) { FixedRate = 4 * Megabit };
        network.Add(stream);
        var receiver = new AdaptiveReceiver("192.0.2.2", "192.0.2.1", network.Now);
        network.Add(receiver);
        network.Run(TimeSpan.FromSeconds(10));
        var rate = 2.5 * stream.Estimate / 8;
        stream.SentPackets.Clear();

        stream.WritePicture(isKeyFrame: true, 200_000, network.Now);
        network.Run(TimeSpan.FromSeconds(1));

        var sent = stream.SentPackets;
        for (var i = 0; i < sent.Count; i++)
        {
            var window = sent.Skip(i).TakeWhile(one => one.At - sent[i].At < TimeSpan.FromMilliseconds(20)).Sum(one => one.Length);
            Assert.InRange(window, 0, rate * 0.03 + 1500);
        }

        Assert.InRange((sent[170].At - sent[0].At).TotalSeconds, 0.7 * 200_000 / rate, 1.1 * 200_000 / rate);
        Assert.Equal(0, stream.Sender.GetStatistics().FramesDropped);
    }

    [Fact]
    public void On_the_slowest_link_a_keyframe_takes_no_longer_than_half_a_second_to_leave()
    {
        var network = new SimulatedNetwork(1);
        var stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", network.Now, 4 * Megabit);
        network.Add(stream);
        // Nobody answers: the estimate is at its least.
        network.Run(TimeSpan.FromSeconds(30));
        Assert.Equal(LinkEstimate.Minimum, stream.Estimate);
        stream.SentPackets.Clear();

        var start = network.Now;
        stream.WritePicture(isKeyFrame: true, 60_000, network.Now);
        network.RunUntil(() => stream.SentPackets.Sum(one => one.Length) > 60_000, TimeSpan.FromSeconds(3));

        Assert.InRange((network.Now - start).TotalMilliseconds, 300, 700);
    }

    /// <summary>An IDR for a viewer who cannot follow costs all others of the camera.</summary>
    [Fact]
    public void A_viewer_who_cannot_follow_asks_for_keyframes_ever_less_often()
    {
        var network = new SimulatedNetwork(1);
        var stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", network.Now, 4 * Megabit) { FixedRate = 4 * Megabit };
        network.Add(stream);
        var link = new Bottleneck(300_000, TimeSpan.FromMilliseconds(500));
        network.Bottleneck = (from, _) => from == stream.Addresses[0] ? link : null;
        network.Add(new AdaptiveReceiver("192.0.2.2", "192.0.2.1", network.Now) { AsksForKeyFrames = false });
        network.Run(TimeSpan.FromSeconds(60));
        var before = stream.Sender.GetStatistics().KeyFramesSent;

        network.Run(TimeSpan.FromSeconds(60));

        var statistics = stream.Sender.GetStatistics();
        Assert.InRange(statistics.KeyFramesSent - before, 1, 6);
        Assert.InRange(statistics.Congestion!.Value.QueueDelay.TotalSeconds, 0, 2);
    }

    /// <summary>Once a millisecond for all of the last 500 packets, and never a word about what arrives.</summary>
    [Fact]
    public void A_flood_of_nacks_is_served_at_the_pace_of_the_link_and_leaves_the_video_its_share()
    {
        const int Seconds = 5;
        var network = new SimulatedNetwork(1);
        var stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", network.Now, 4 * Megabit);
        network.Add(stream);
        var receiver = new AdaptiveReceiver("192.0.2.2", "192.0.2.1", network.Now);
        network.Add(receiver);
        network.Run(TimeSpan.FromSeconds(5));
        var (shown, video, estimate) = (receiver.Pictures.Count, stream.Target, stream.Estimate);
        stream.SentPackets.Clear();

        for (var i = 0; i < Seconds * 1000; i++)
        {
            var highest = receiver.Highest;
            stream.Sender.HandleRtcp(RtcpTestPackets.Nack(AdaptiveStream.Ssrc, Enumerable.Range(0, 500).Select(back => (ushort)(highest - 499 + back))), network.Now);
            network.Run(TimeSpan.FromMilliseconds(1));
        }

        var sent = stream.SentPackets;
        for (var i = 0; i < sent.Count; i += 50)
        {
            var window = sent.Skip(i).TakeWhile(one => one.At - sent[i].At < TimeSpan.FromMilliseconds(100)).Sum(one => one.Length);
            Assert.InRange(window, 0, 2.5 * Math.Max(estimate, stream.Estimate) / 8 * 0.12);
        }

        // No more than the video itself is sent again, beside what had been saved up.
        var bytes = sent.Sum(one => (long)one.Length);
        Assert.InRange(bytes, 1, 2.4 * Seconds * video / 8 + RetransmissionQueue.MaximumCredit);
        Assert.InRange(receiver.Pictures.Count - shown, Seconds * 30 * 0.8, Seconds * 30 * 1.1);
        Assert.True(stream.Sender.GetStatistics().RetransmissionsDropped > 0);
    }
}
