namespace Agent.Devices.Tests;

/// <summary>Waits for what another thread is about to do.</summary>
internal static class Wait
{
    public static void Until(Func<bool> condition, string what) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(20)), $"not within twenty seconds: {what}");
}
