using System.Diagnostics;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests;

public sealed class ProgressWatchTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("30000000", null, 15.0)]
    [InlineData("30000000", "42", 15.0)]
    [InlineData("30000000", "43", null)]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("0", null, null)]
    [InlineData("-5", null, null)]
    public void The_interval_is_half_of_what_systemd_waits_for_this_process(string? microseconds, string? pid, double? seconds) =>
        Assert.Equal(seconds, ProgressWatch.FindInterval(name => name == "WATCHDOG_PID" ? pid : name == "WATCHDOG_USEC" ? microseconds : null, 42)?.TotalSeconds);

    [Fact]
    public async Task Systemd_is_told_while_everything_gets_on_and_only_then()
    {
        using var systemd = new NotifySocket();
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", systemd.Path);
        var notifier = new SystemdNotifier();
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        var looks = 0;
        var getsOn = true;
        await using var watch = new ProgressWatch(
            () =>
            {
                Interlocked.Increment(ref looks);
                return ValueTask.FromResult(Volatile.Read(ref getsOn));
            },
            notifier, TimeSpan.FromMilliseconds(50), NullLogger.Instance);
        Assert.Equal("WATCHDOG=1", systemd.Receive(Soon));
        Assert.Equal("WATCHDOG=1", systemd.Receive(Soon));

        Volatile.Write(ref getsOn, false);
        WaitForLooks(2);
        while (systemd.Receive(TimeSpan.Zero) is not null)
        {
            // Sent before.
        }

        WaitForLooks(5);
        Assert.Null(systemd.Receive(TimeSpan.Zero));

        Volatile.Write(ref getsOn, true);
        Assert.Equal("WATCHDOG=1", systemd.Receive(Soon));

        void WaitForLooks(int more)
        {
            var until = Volatile.Read(ref looks) + more;
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref looks) >= until, Soon));
        }
    }

    /// <summary>A named pipe that nobody writes to: opening it hangs in open(2), as a driver may hang in ioctl(2).</summary>
    [Fact]
    public async Task An_agent_whose_camera_hangs_in_a_system_call_falls_silent_and_says_why()
    {
        using var systemd = new NotifySocket();
        var pipe = $"{systemd.Path}.fifo";
        using (var make = Process.Start("mkfifo", pipe))
        {
            await make.WaitForExitAsync();
        }

        // The framework knows a service by its parent's name.
        var systemdName = Path.Join(Path.GetDirectoryName(systemd.Path), "systemd");
        File.CreateSymbolicLink(systemdName, "/bin/sh");
        using var agent = Process.Start(new ProcessStartInfo(systemdName, ["-c", "dotnet \"$0\" run; exit", Path.Join(AppContext.BaseDirectory, "camera-agent.dll")])
        {
            RedirectStandardOutput = true,
            Environment =
            {
                ["NOTIFY_SOCKET"] = systemd.Path,
                ["WATCHDOG_USEC"] = "1000000",
                ["AGENT__Http__Listen"] = "127.0.0.1:0",
                ["AGENT__WebRtc__UdpPort"] = "0",
                ["AGENT__Cameras__porch__Source__Kind"] = "file",
                ["AGENT__Cameras__porch__Source__Path"] = pipe,
            },
        })!;
        try
        {
            var log = agent.StandardOutput.ReadToEndAsync();
            Assert.Equal("READY=1", systemd.Receive(TimeSpan.FromSeconds(60)));
            Assert.Equal("WATCHDOG=1", systemd.Receive(Soon));
            var alive = Stopwatch.StartNew();
            while (systemd.Receive(TimeSpan.FromSeconds(3)) is { } message)
            {
                Assert.Equal("WATCHDOG=1", message);
                Assert.InRange(alive.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(60));
            }

            agent.Kill(entireProcessTree: true);
            Assert.Contains("Camera porch: opening has hung for too long", await log, StringComparison.Ordinal);
        }
        finally
        {
            agent.Kill(entireProcessTree: true);
        }
    }
}
