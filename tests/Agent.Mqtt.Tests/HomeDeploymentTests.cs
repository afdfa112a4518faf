using System.Diagnostics;

namespace Agent.Mqtt.Tests;

/// <summary>The broker's files in deploy/ as docs/home-assistant.md has them installed: TLS, passwords, and who may do what.</summary>
public sealed class HomeDeploymentTests
{
    private static readonly string s_deploy = FindDeploy();

    private static string FindDeploy()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Join(directory, "Agent.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }

        return Path.Join(directory, "deploy");
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>mosquitto-home.conf with its ports and paths moved: the plain listener is the test broker's own.</summary>
    private static string Configuration(int tlsPort)
    {
        var lines = File.ReadAllLines(Path.Join(s_deploy, "mosquitto-home.conf"));
        Assert.Contains("listener 8883", lines);
        Assert.Contains("listener 1883 127.0.0.1", lines);
        return string.Join('\n', lines.Where(line => line != "listener 1883 127.0.0.1"))
            .Replace("listener 8883", $"listener {tlsPort} 127.0.0.1", StringComparison.Ordinal)
            .Replace("/etc/mosquitto/certs/", "{folder}/", StringComparison.Ordinal)
            .Replace("/etc/mosquitto/", "{folder}/", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_agent_and_Home_Assistant_work_with_them_and_others_do_not()
    {
        var tlsPort = MosquittoBroker.FreePort();
        await using var broker = new MosquittoBroker(Configuration(tlsPort));
        await RunAsync(Path.Join(s_deploy, "make-certificates.sh"), broker.Folder, "127.0.0.1");
        File.Copy(Path.Join(s_deploy, "mosquitto-home.acl"), Path.Join(broker.Folder, "camera-agent.acl"));
        var passwords = Path.Join(broker.Folder, "camera-agent.passwords");
        foreach (var user in new[] { "homeassistant", "Porch-1", "garage" })
        {
            string[] create = File.Exists(passwords) ? [] : ["-c"];
            await RunAsync("mosquitto_passwd", [.. create, "-b", passwords, user, $"{user}-secret"]);
        }

        await broker.StartAsync();
        string[] home = ["-u", "homeassistant", "-P", "homeassistant-secret"];
        using var configuration = await MosquittoSubscriber.StartAsync(broker, "homeassistant/device/+/config", "%t", home);
        using var lamp = await MosquittoSubscriber.StartAsync(broker, "camera-agent/Porch-1/lamp", "%p", home);
        using var log = new LogCollector();
        var options = new MqttOptions
        {
            Host = "127.0.0.1", Port = tlsPort, CaFile = Path.Join(broker.Folder, "ca.pem"), Device = "Porch-1", UserName = "Porch-1", Password = "Porch-1-secret",
        };
        await using var service = new MqttService(options, new FakeGateway(), "main", log, ExampleHome.For(ExampleHome.MakeWithValues()));
        service.Start();

        Assert.Equal("homeassistant/device/camera-agent-Porch-1/config", await configuration.NextAsync());
        Assert.Equal("0", await lamp.NextAsync());

        // Another camera's account reaches nothing here; what it publishes ends at the broker, before the command behind it.
        await broker.PublishAsync("-u", "garage", "-P", "garage-secret", "-q", "1", "-t", "camera-agent/Porch-1/lamp/set", "-m", "77");
        await broker.PublishAsync("-u", "garage", "-P", "garage-secret", "-q", "1", "-r", "-t", "camera-agent/Porch-1/lamp", "-m", "78");
        await broker.PublishAsync([.. home, "-q", "1", "-t", "camera-agent/Porch-1/lamp/set", "-m", "40"]);
        Assert.Equal("40", await lamp.NextAsync());
        Assert.False(log.TryNext(out var warning), warning);

        using var stranger = new LogCollector();
        await using var wrong = new MqttService(options with { Device = "garage", UserName = "garage", Password = "guess" }, new FakeGateway(), "main", stranger);
        wrong.Start();
        Assert.Contains("refused: Not authorized", await stranger.NextAsync());
    }
}
