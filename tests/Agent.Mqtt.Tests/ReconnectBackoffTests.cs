namespace Agent.Mqtt.Tests;

public sealed class ReconnectBackoffTests
{
    [Fact]
    public void Delays_double_up_to_a_minute_with_jitter_and_start_over_after_a_reset()
    {
        const int Seed = 7;
        var backoff = new ReconnectBackoff(new Random(Seed));
        var ceiling = ReconnectBackoff.First;
        for (var i = 0; i < 20; i++)
        {
            Assert.InRange(backoff.Next(), ceiling / 2, ceiling);
            ceiling = ceiling * 2 < ReconnectBackoff.Longest ? ceiling * 2 : ReconnectBackoff.Longest;
        }

        backoff.Reset();
        Assert.InRange(backoff.Next(), ReconnectBackoff.First / 2, ReconnectBackoff.First);
    }
}
