using Agent.Devices.Pwm;

namespace Agent.Devices.Tests.Pwm;

public sealed class ServoMoveTests
{
    private const double Speed = 60, Acceleration = 120;

    private static readonly TimeSpan Start = TimeSpan.FromMinutes(3);

    private static TimeSpan At(double seconds) => Start + TimeSpan.FromSeconds(seconds);

    [Theory]
    // Half a second up to 60°/s over 15°, the same down, and between them evenly: 90° take 2 s.
    [InlineData(0, 90, 2)]
    [InlineData(90, 0, 2)]
    [InlineData(-45, 45, 2)]
    // Too short for the full speed: half the way up, half the way down, t = 2·√(d/a).
    [InlineData(0, 7.5, 0.5)]
    [InlineData(0, -7.5, 0.5)]
    [InlineData(10, 10, 0)]
    public void A_move_from_rest_takes_the_time_that_speed_and_acceleration_allow(double from, double to, double seconds)
    {
        var move = ServoMove.Plan(from, 0, to, Speed, Acceleration, Start);
        Assert.True(move.IsOver(At(seconds)));
        Assert.Equal((to, 0), move.At(At(seconds)));
        if (seconds > 0) Assert.False(move.IsOver(At(seconds - 0.001)));
        Assert.Equal((from + to) / 2, move.At(At(seconds / 2)).Angle, 9);
    }

    [Fact]
    public void Any_move_from_any_motion_keeps_to_speed_and_acceleration_and_arrives()
    {
        var random = new Random(7);
        for (var i = 0; i < 2000; i++)
        {
            var (from, velocity, to) = ((random.NextDouble() * 180) - 90, ((random.NextDouble() * 2) - 1) * Speed, (random.NextDouble() * 180) - 90);
            var move = ServoMove.Plan(from, velocity, to, Speed, Acceleration, Start);
            var (angle, before) = move.At(Start);
            Assert.Equal(from, angle, 6);
            Assert.Equal(velocity, before, 6);
            const double Tick = 0.001;
            for (var t = Tick; !move.IsOver(At(t)); t += Tick)
            {
                var (next, now) = move.At(At(t));
                Assert.InRange(Math.Abs(now), 0, Speed + 1e-6);
                Assert.InRange(Math.Abs(now - before), 0, (Acceleration * Tick) + 1e-6);
                Assert.Equal((now + before) / 2 * Tick, next - angle, 0.0005);
                (angle, before) = (next, now);
            }
            Assert.Equal(to, angle, 0.1);
            Assert.InRange(Math.Abs(before), 0, Acceleration * Tick * 1.01);
        }
    }

    [Fact]
    public void A_stop_slows_down_at_once_and_never_goes_beyond_where_it_was_sent()
    {
        for (var seconds = 0.0; seconds <= 2; seconds += 0.05)
        {
            var move = ServoMove.Plan(0, 0, 90, Speed, Acceleration, Start);
            var (angle, velocity) = move.At(At(seconds));
            var stop = move.Stop(At(seconds));
            Assert.Equal(angle + (velocity * velocity / (2 * Acceleration)), stop.Target, 6);
            Assert.InRange(stop.Target, angle, 90 + 1e-9);
            Assert.True(stop.IsOver(At(seconds + (velocity / Acceleration) + 1e-6)));
        }
    }
}
