namespace Agent.Devices.Pwm;

/// <summary>From brightness as people see it to the share of time that a light is on.</summary>
internal static class BrightnessCurve
{
    /// <param name="level">Percent, more than 0: half is seen as half as bright.</param>
    /// <param name="period">Of the signal; any unit.</param>
    /// <param name="gamma">The exponent.</param>
    /// <param name="minimumDuty">Percent of the period at which the light begins to be lit.</param>
    /// <returns>In the period's unit, at most the period.</returns>
    public static long ToDuty(double level, long period, double gamma, int minimumDuty)
    {
        const double Whole = 100;
        var share = Math.Pow(Math.Clamp(level / Whole, 0, 1), gamma);
        return (long)Math.Round(period * (minimumDuty + ((Whole - minimumDuty) * share)) / Whole);
    }
}

/// <summary>The way from one brightness to another, evenly as people see it.</summary>
/// <param name="From">Percent at <paramref name="Start"/>.</param>
/// <param name="To">Percent from <paramref name="Start"/> plus <paramref name="Duration"/> on, exactly.</param>
/// <param name="Start">When.</param>
/// <param name="Duration">How long.</param>
internal readonly record struct BrightnessFade(double From, double To, TimeSpan Start, TimeSpan Duration)
{
    public static BrightnessFade None(double level) => new(level, level, TimeSpan.Zero, TimeSpan.Zero);

    public bool IsOver(TimeSpan now) => now - Start >= Duration;

    public double At(TimeSpan now) => IsOver(now) ? To : From + ((To - From) * Math.Max(0, (now - Start) / Duration));
}
