using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Agent.Tests;

/// <summary>The whole executable as a process of its own, with the test camera.</summary>
public sealed partial class AgentProcessTests : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private readonly List<Process> _processes = [];

    [GeneratedRegex(@" is up: (\S+)")]
    private static partial Regex Up();

    private Process Start(params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Join(AppContext.BaseDirectory, "camera-agent.dll"), "run"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["AGENT__Http__Listen"] = "127.0.0.1:0",
                ["AGENT__WebRtc__UdpPort"] = "0",
                ["AGENT__WebRtc__ListenAddresses"] = "127.0.0.1",
            },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        _processes.Add(process);
        return process;
    }

    private static async Task<Uri> UntilUpAsync(Process process)
    {
        using var timeout = new CancellationTokenSource(StartTimeout);
        var output = new List<string>();
        while (await process.StandardOutput.ReadLineAsync(timeout.Token) is { } line)
        {
            output.Add(line);
            if (Up().Match(line) is { Success: true } match)
            {
                return new Uri(match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException($"The agent ended: {string.Join('\n', output)}{await process.StandardError.ReadToEndAsync()}");
    }

    public void Dispose()
    {
        foreach (var process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.Dispose();
        }
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task It_serves_its_status_and_stops_with_0_within_two_seconds_of_a_signal(string signal)
    {
        var process = Start();
        var url = await UntilUpAsync(process);
        using var client = new HttpClient { BaseAddress = url };
        Assert.Contains("\"name\":\"main\"", await client.GetStringAsync("/api/status"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/whep/garden", new ByteArrayContent([]) { Headers = { ContentType = new("application/sdp") } })).StatusCode);

        var watch = Stopwatch.StartNew();
        using var kill = Process.Start("kill", [$"-{signal}", $"{process.Id}"]);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_taken_port_is_1_with_one_line_that_names_it()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var process = Start(("AGENT__Http__Listen", taken.LocalEndpoint.ToString()!));
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        Assert.Matches($@"critical Agent: Cannot run: .*{Regex.Escape(taken.LocalEndpoint.ToString()!)}", output);
    }

    [Fact]
    public async Task Bad_configuration_is_2_and_goes_to_standard_error()
    {
        var process = Start(("AGENT__Http__Listen", "0.0.0.0:0"));
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith("AGENT__Http__Listen: http.listen: 0.0.0.0:0 can be reached from other machines", error, StringComparison.Ordinal);
    }
}
