using Agent.Rtc.Tests.Network;
using Xunit.Abstractions;

namespace Agent.Rtc.Tests.Congestion;

/// <summary>
/// A link that becomes eight times narrower at one stroke, and wide again, behind queues from those of a switch to those of a cable modem:
/// whenever within a picture it happens, and whatever the pictures' sizes are.
/// </summary>
public sealed class LinkStepTests(ITestOutputHelper output)
{
    private const long Wide = 4_000_000;
    private const long Narrow = 500_000;
    private const int Seeds = 20;

    /// <summary>
    /// A picture of the wide time that just fits the queue takes all of it to get through, and the IDR comes behind it: this is what
    /// 300 and 500 ms show in the worst case.
    /// </summary>
    [Theory]
    [InlineData(60, 500, 1000)]
    [InlineData(100, 500, 700)]
    [InlineData(200, 600, 700)]
    [InlineData(300, 700, 800)]
    [InlineData(500, 600, 1000)]
    [InlineData(1000, 500, 700)]
    public void The_picture_goes_on_and_the_rate_comes_back(int queue, int medianStandstill, int longestStandstill)
    {
        var runs = Enumerable.Range(1, Seeds).Select(seed => Run(seed, queue)).ToArray();

        var standstills = runs.Select(run => run.Standstill.TotalMilliseconds).Order().ToArray();
        var recoveries = runs.Select(run => run.Recovery.TotalSeconds).Order().ToArray();
        output.WriteLine(
            $"standstill {standstills[Seeds / 2]:F0} ms, at most {standstills[^1]:F0}; used at least {runs.Min(run => run.Used):P0}; " +
            $"80 % again after {recoveries[Seeds / 2]:F1} s, at most {recoveries[^1]:F1}");
        Assert.InRange(standstills[Seeds / 2], 0, medianStandstill);
        Assert.InRange(standstills[^1], 0, longestStandstill);
        Assert.All(runs, run => Assert.InRange(run.Used, 0.75, 1));
        Assert.InRange(recoveries[Seeds / 2], 0, 5);
        Assert.InRange(recoveries[^1], 0, 8);
    }

    /// <summary>Probes that the sender itself tears apart tell nothing of the link, and are repeated.</summary>
    [Fact]
    public void A_sender_that_is_kept_from_its_work_finds_the_wide_link_as_well()
    {
        var recoveries = Enumerable.Range(1, Seeds).Select(seed => Run(seed, queue: 300, TimeSpan.FromMilliseconds(10)).Recovery.TotalSeconds).Order().ToArray();

        output.WriteLine($"80 % again after {recoveries[Seeds / 2]:F1} s, at most {recoveries[^1]:F1}");
        Assert.InRange(recoveries[Seeds / 2], 0, 7);
        Assert.InRange(recoveries[^1], 0, 12);
    }

    private static (TimeSpan Standstill, double Used, TimeSpan Recovery) Run(int seed, int queue, TimeSpan late = default)
    {
        const int SettleSeconds = 8;
        const int MeasureSeconds = 5;
        var link = new Bottleneck(Wide, TimeSpan.FromMilliseconds(queue));
        var network = new SimulatedNetwork(seed, new NetworkConditions { Delay = TimeSpan.FromMilliseconds(20) });
        var stream = new AdaptiveStream("192.0.2.1", "192.0.2.2", network.Now, Wide, seed: seed) { WakesLateBy = late };
        var receiver = new AdaptiveReceiver("192.0.2.2", "192.0.2.1", network.Now);
        network.Add(stream);
        network.Add(receiver);
        network.Bottleneck = (from, _) => from == stream.Addresses[0] ? link : null;
        network.Run(TimeSpan.FromSeconds(SettleSeconds + new Random(seed).NextDouble()));

        var before = receiver.Pictures.Count - 1;
        link.SetRate(Narrow, network.Now);
        network.Run(TimeSpan.FromSeconds(SettleSeconds));
        var shown = receiver.Pictures.Skip(before).Append(network.Now).ToArray();
        var passed = link.PassedBits;
        network.Run(TimeSpan.FromSeconds(MeasureSeconds));
        var used = (link.PassedBits - passed) / (double)MeasureSeconds / Narrow;

        var changed = network.Now;
        link.SetRate(Wide, changed);
        network.RunUntil(() => stream.Target >= 0.8 * Wide, TimeSpan.FromMinutes(1));
        return (shown.Zip(shown.Skip(1), (a, b) => b - a).Max(), used, network.Now - changed);
    }
}
