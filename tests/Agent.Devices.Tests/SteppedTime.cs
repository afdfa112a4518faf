namespace Agent.Devices.Tests;

/// <summary>The machine's clock, which a test can set forward.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _ahead;

    public override long GetTimestamp() => System.GetTimestamp() + Interlocked.Read(ref _ahead);

    public override long TimestampFrequency => System.TimestampFrequency;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));
}
