using Agent.Rtc.Congestion;
using Agent.Rtc.Tests.Network;
using Xunit.Abstractions;

namespace Agent.Rtc.Tests.Congestion;

/// <summary>Streams over a bottleneck in virtual time; the rates are shares of what the link carries.</summary>
public sealed class AdaptationTests(ITestOutputHelper output)
{
    private const long Megabit = 1_000_000;
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(300_000, 60, 300)]
    [InlineData(1 * Megabit, 60, 300)]
    [InlineData(3 * Megabit, 60, 300)]
    [InlineData(3 * Megabit, 20, 100)]
    [InlineData(3 * Megabit, 300, 1000)]
    [InlineData(8 * Megabit, 100, 200)]
    public void The_rate_converges_to_what_the_link_carries(long link, int roundTrip, int queue)
    {
        var scene = new Scene(roundTrip, new Bottleneck(link, TimeSpan.FromMilliseconds(queue)), ceiling: 20 * Megabit);
        scene.Network.Run(20 * s_second);

        var (used, delay) = scene.Measure(20);

        output.WriteLine($"used {used:P0} of the link, queue {delay.TotalMilliseconds:F0} ms on average");
        Assert.InRange(used, 0.75, 1);
        Assert.InRange(delay.TotalMilliseconds, 0, Math.Min(queue * 0.5, 120));
    }

    [Fact]
    public void A_link_that_is_wide_enough_is_found_within_a_second()
    {
        var scene = new Scene(40, new Bottleneck(50 * Megabit, TimeSpan.FromMilliseconds(300)), ceiling: 8 * Megabit);

        Assert.True(scene.Network.RunUntil(() => scene.Stream.Target >= 7 * Megabit, s_second));
    }

    [Fact]
    public void The_rate_follows_a_link_from_4_to_half_a_megabit_and_back_within_10_seconds()
    {
        var link = new Bottleneck(4 * Megabit, TimeSpan.FromMilliseconds(500));
        var scene = new Scene(60, link, ceiling: 20 * Megabit);
        scene.Network.Run(20 * s_second);
        var before = scene.Measure(5).Used;

        link.SetRate(Megabit / 2, scene.Network.Now);
        scene.Network.Run(5 * s_second);
        var narrow = scene.Measure(10);

        link.SetRate(4 * Megabit, scene.Network.Now);
        scene.Network.Run(10 * s_second);
        var after = scene.Measure(5).Used;

        output.WriteLine($"4 Mbit/s: {before:P0}; 0.5 Mbit/s: {narrow.Used:P0}, queue {narrow.Delay.TotalMilliseconds:F0} ms; 4 Mbit/s again: {after:P0}; longest freeze {scene.LongestFreeze():F0} ms");
        Assert.InRange(before, 0.75, 1);
        Assert.InRange(narrow.Used, 0.7, 1);
        Assert.InRange(narrow.Delay.TotalMilliseconds, 0, 150);
        Assert.InRange(after, 0.75, 1);
    }

    [Theory]
    [InlineData(0.01, 0.8)]
    [InlineData(0.05, 0.75)]
    [InlineData(0.10, 0.65)]
    public void Random_loss_at_100_ms_does_not_make_the_rate_collapse(double loss, double atLeast)
    {
        var scene = new Scene(100, new Bottleneck(4 * Megabit, TimeSpan.FromMilliseconds(300)), ceiling: 3 * Megabit);
        scene.Network.Conditions = scene.Network.Conditions with { Loss = loss };
        scene.Network.Run(30 * s_second);

        var used = scene.Measure(30).Used * 4 / 3;

        output.WriteLine($"{loss:P0} loss: {used:P0} of what the encoder may make, target {scene.Stream.Target}");
        Assert.InRange(used, atLeast, 1.4);
    }

    [Fact]
    public void A_link_that_drops_without_delay_is_found_by_its_loss()
    {
        var link = new Bottleneck(2 * Megabit, TimeSpan.FromMilliseconds(100)) { IsPolicer = true };
        var scene = new Scene(60, link, ceiling: 8 * Megabit);
        scene.Network.Run(30 * s_second);

        var dropped = link.Dropped;
        var sent = scene.Stream.SentPackets.Count;
        var used = scene.Measure(20).Used;
        var loss = (link.Dropped - dropped) / (double)(scene.Stream.SentPackets.Count - sent);

        output.WriteLine($"used {used:P0}, lost {loss:P1}");
        Assert.InRange(used, 0.5, 1);
        Assert.InRange(loss, 0, 0.2);
    }

    [Fact]
    public void Two_streams_share_a_link()
    {
        var link = new Bottleneck(4 * Megabit, TimeSpan.FromMilliseconds(300));
        var scene = new Scene(60, link, ceiling: 20 * Megabit);
        scene.Network.Run(15 * s_second);
        var (second, receiver) = scene.AddStream("192.0.2.3", "192.0.2.4", new AdaptiveStream("192.0.2.3", "192.0.2.4", scene.Network.Now, 20 * Megabit, seed: 2));
        scene.Network.Run(30 * s_second);

        var before = receiver.ReceivedBits;
        var (used, delay) = scene.Measure(30);
        var share = (receiver.ReceivedBits - before) / 30.0 / link.BitsPerSecond;

        output.WriteLine($"first {used - share:P0}, second {share:P0}, queue {delay.TotalMilliseconds:F0} ms");
        Assert.InRange(used, 0.7, 1);
        Assert.InRange(share, 0.12, 0.75);
        Assert.True(second.Estimate > 0);
    }

    [Fact]
    public void A_stream_of_constant_rate_keeps_its_rate_and_leaves_the_rest()
    {
        var link = new Bottleneck(4 * Megabit, TimeSpan.FromMilliseconds(300));
        var scene = new Scene(60, link, ceiling: 20 * Megabit);
        var (_, receiver) = scene.AddStream(
            "192.0.2.3", "192.0.2.4", new AdaptiveStream("192.0.2.3", "192.0.2.4", scene.Network.Now, 40 * Megabit, seed: 2) { FixedRate = 2 * Megabit });
        scene.Network.Run(20 * s_second);

        var before = receiver.ReceivedBits;
        var used = scene.Measure(20).Used;
        var share = (receiver.ReceivedBits - before) / 20.0 / link.BitsPerSecond;

        output.WriteLine($"constant {share:P0}, adaptive {used - share:P0}");
        Assert.InRange(share, 0.45, 0.6);
        Assert.InRange(used - share, 0.25, 0.5);
    }

    [Fact]
    public void Lost_feedback_does_little_and_none_at_all_makes_the_rate_fall_until_it_comes_back()
    {
        var scene = new Scene(60, new Bottleneck(3 * Megabit, TimeSpan.FromMilliseconds(300)), ceiling: 20 * Megabit);
        var random = new Random(5);
        scene.Network.Blocks = (from, _, _) => from == scene.Receiver.Addresses[0] && random.NextDouble() < 0.3;
        scene.Network.Run(20 * s_second);
        var lossy = scene.Measure(20).Used;

        scene.Receiver.IsSilent = true;
        scene.Network.Run(20 * s_second);
        var silent = scene.Stream.Estimate;

        scene.Receiver.IsSilent = false;
        scene.Network.Run(25 * s_second);
        var back = scene.Measure(10).Used;

        output.WriteLine($"3 of 10 feedback packets lost: {lossy:P0}; 20 s of silence: {silent} bit/s; again: {back:P0}");
        Assert.InRange(lossy, 0.6, 1);
        Assert.InRange(silent, LinkEstimate.Minimum, 200_000);
        Assert.InRange(back, 0.6, 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Without_transport_wide_feedback_the_receivers_estimate_and_its_reports_lead(bool isAgreed)
    {
        var scene = new Scene(60, new Bottleneck(4 * Megabit, TimeSpan.FromMilliseconds(300)), 3 * Megabit, transportFeedback: isAgreed, sendsFeedback: false);
        scene.Network.Run(30 * s_second);
        Assert.InRange(scene.Stream.Target, 2.5 * Megabit, 3 * Megabit);

        scene.Receiver.Estimate = 800_000;
        scene.Network.Run(3 * s_second);
        Assert.InRange(scene.Stream.Estimate, 700_000, 800_000);

        scene.Receiver.Estimate = 20 * Megabit;
        scene.Network.Conditions = scene.Network.Conditions with { Loss = 0.6 };
        scene.Network.Run(20 * s_second);
        Assert.InRange(scene.Stream.Estimate, LinkEstimate.Minimum, 1.5 * Megabit);
    }

    private sealed class Scene
    {
        private readonly Bottleneck _link;

        public Scene(int roundTrip, Bottleneck link, long ceiling, bool transportFeedback = true, bool sendsFeedback = true)
        {
            _link = link;
            Network = new SimulatedNetwork(7, new NetworkConditions { Delay = TimeSpan.FromMilliseconds(roundTrip / 2.0) });
            Stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", Network.Now, ceiling, transportFeedback);
            Receiver = new AdaptiveReceiver("192.0.2.2", "192.0.2.1", Network.Now) { SendsTransportFeedback = sendsFeedback };
            Network.Add(Stream);
            Network.Add(Receiver);
            var senders = new List<TransportAddress> { Stream.Addresses[0] };
            Senders = senders;
            Network.Bottleneck = (from, _) => senders.Contains(from) ? link : null;
        }

        public SimulatedNetwork Network { get; }

        public AdaptiveStream Stream { get; }

        public AdaptiveReceiver Receiver { get; }

        private List<TransportAddress> Senders { get; }

        public (AdaptiveStream Stream, AdaptiveReceiver Receiver) AddStream(string local, string remote, AdaptiveStream stream)
        {
            var receiver = new AdaptiveReceiver(remote, local, Network.Now);
            Network.Add(stream);
            Network.Add(receiver);
            Senders.Add(stream.Addresses[0]);
            return (stream, receiver);
        }

        /// <summary>The share of the link that was used, by all, and the queue in front of it on average.</summary>
        public (double Used, TimeSpan Delay) Measure(int seconds)
        {
            const int StepsPerSecond = 50;
            var before = _link.PassedBits;
            var delay = TimeSpan.Zero;
            for (var i = 0; i < seconds * StepsPerSecond; i++)
            {
                Network.Run(s_second / StepsPerSecond);
                delay += _link.QueueDelay;
            }

            return ((_link.PassedBits - before) / (double)seconds / _link.BitsPerSecond, delay / (seconds * StepsPerSecond));
        }

        public double LongestFreeze() => Receiver.Pictures.Zip(Receiver.Pictures.Skip(1), (a, b) => (b - a).TotalMilliseconds).Max();
    }
}
