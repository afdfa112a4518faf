namespace Agent.Home.Automations;

/// <summary>Now, on both clocks.</summary>
/// <param name="Elapsed">On a clock that nobody sets, for everything that takes a time.</param>
/// <param name="Utc">On the machine's wall clock, which may step, for the time of day.</param>
internal readonly record struct Moment(TimeSpan Elapsed, DateTimeOffset Utc);
