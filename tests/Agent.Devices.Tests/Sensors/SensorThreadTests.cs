using Agent.Devices.Sensors;

namespace Agent.Devices.Tests.Sensors;

public sealed class SensorThreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void A_driver_that_hangs_holds_up_neither_other_buses_nor_the_end()
    {
        using var release = new ManualResetEventSlim();
        using var disposed = new CountdownEvent(2);
        var hangs = new Source(() =>
        {
            release.Wait();
            return SensorReading.Of(1);
        }, disposed);
        var values = 0;
        var goesOn = new Source(() => SensorReading.Of(++values), disposed);
        var loggers = new CollectingLoggers();
        var options = new SensorOptions { Interval = TimeSpan.FromMilliseconds(1) };
        var stuck = new Sensor(options with { Name = "stuck", Device = "a" }, hangs, loggers);
        var good = new Sensor(options with { Name = "good", Device = "b" }, goesOn, loggers);
        using var ten = new CountdownEvent(10);
        good.ValueChanged += _ =>
        {
            if (!ten.IsSet) ten.Signal();
        };
        var thread = new SensorThread([stuck, good], TimeProvider.System, loggers);
        thread.Start();
        Assert.True(ten.Wait(Patience));
        Assert.Null(stuck.GetStatus().Value);
        thread.Dispose();
        Assert.Empty(loggers.Lines);
        // Once the driver lets it, the thread that was left behind closes its source.
        release.Set();
        Assert.True(disposed.Wait(Patience));
    }

    [Fact]
    public void A_bug_in_a_source_is_told_and_the_others_go_on()
    {
        using var disposed = new CountdownEvent(2);
        var loggers = new CollectingLoggers();
        var options = new SensorOptions { Interval = TimeSpan.FromMilliseconds(1) };
        var broken = new Sensor(options with { Name = "broken", Device = "a" }, new Source(() => throw new InvalidOperationException("bug"), disposed), loggers);
        var good = new Sensor(options with { Name = "good", Device = "b" }, new Source(() => SensorReading.Of(1), disposed), loggers);
        using var reported = new ManualResetEventSlim();
        using var shown = new ManualResetEventSlim();
        good.AvailabilityChanged += _ => shown.Set();
        using (var thread = new SensorThread([broken, good], TimeProvider.System, loggers))
        {
            thread.Start();
            Assert.True(shown.Wait(Patience));
            Assert.True(SpinWait.SpinUntil(() => loggers.Lines.Any(line => line.Contains("A sensor's source broke")), Patience));
        }
        Assert.True(disposed.Wait(Patience));
    }

    [Fact]
    public void Disposing_what_was_never_started_is_fine() => new SensorThread([], TimeProvider.System, new CollectingLoggers()).Dispose();

    private sealed class Source(Func<SensorReading> read, CountdownEvent disposed) : ISensorSource
    {
        public SensorReading Read() => read();

        public void Dispose() => disposed.Signal();
    }
}
