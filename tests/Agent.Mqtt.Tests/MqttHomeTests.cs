using System.Diagnostics;
using System.Text.Json;
using Agent.Home;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>The home over a real mosquitto, operated with mosquitto_pub and watched with mosquitto_sub.</summary>
public sealed class MqttHomeTests
{
    private const string Config = "homeassistant/device/camera-agent-Porch-1/config";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private static MqttService Start(MosquittoBroker broker, EntityRegistry home, ILoggerFactory? loggers = null, int? port = null)
    {
        var service = new MqttService(
            new MqttOptions { Host = "127.0.0.1", Port = port ?? broker.Port, BaseTopic = "base", KeepAliveSeconds = 5 }, new FakeGateway(), "main",
            loggers ?? NullLoggerFactory.Instance, ExampleHome.For(home));
        service.Start();
        return service;
    }

    /// <summary>Reads the broker's retained messages until they are what the registry has; how soon is the broker's and the machine's affair.</summary>
    internal static async Task AssertRetainedAsync(MosquittoBroker broker, EntityRegistry home, string status = "online", params string[] login)
    {
        var started = Stopwatch.GetTimestamp();
        SortedDictionary<string, string> tree;
        SortedDictionary<string, string> expected;
        do
        {
            expected = ExampleHome.ExpectRetained(home);
            expected["base/status"] = ExampleHome.Hex(status);
            tree = await broker.ReadRetainedAsync(login);
        }
        while (!(tree.Remove(Config, out var configuration) && tree.SequenceEqual(expected) && AnnouncesExactly(configuration, home)) && Stopwatch.GetElapsedTime(started) < s_patience);
        Assert.Equal(expected, tree);
    }

    private static bool AnnouncesExactly(string configuration, EntityRegistry home)
    {
        using var json = JsonDocument.Parse(Convert.FromHexString(configuration));
        Assert.Empty(DiscoverySchema.FindFaults(json.RootElement));
        return json.RootElement.GetProperty("cmps").EnumerateObject().Select(c => c.Name).SequenceEqual(home.All.Select(s => s.Entity.Id).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("porch_privacy", "ON", "ON")]
    [InlineData("porch_privacy", "off", "OFF")]
    [InlineData("lamp", "40", "40")]
    [InlineData("lamp", "ON", "100")]
    [InlineData("led", "OFF", "0")]
    [InlineData("porch_bitrate", "1234", "1250")]
    [InlineData("porch_mode", "Tag & Nacht", "Tag & Nacht")]
    [InlineData("reboot_agent", "PRESS", "yes", "pressed")]
    public async Task A_command_comes_back_as_state(string id, string command, string expected, string? seenAt = null)
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var status = await MosquittoSubscriber.StartAsync(broker, "base/status", "%p");
        var home = ExampleHome.Make();
        await using var service = Start(broker, home);
        Assert.Equal("online", await status.NextAsync());
        using var state = await MosquittoSubscriber.StartAsync(broker, $"base/{seenAt ?? id}", "%p");

        // The agent's subscription may come after the status: a command before it would go nowhere. The reply says that it did not.
        using var reply = await MosquittoSubscriber.StartAsync(broker, "base/response/test", "%D %p", "-V", "5");
        await broker.PublishAsync(
            "-V", "5", "-q", "1", "-t", $"base/{id}/set", "-m", command, "-D", "publish", "response-topic", "base/response/test", "-D", "publish",
            "correlation-data", "c1");

        Assert.Equal($$"""c1 {"entity":"{{id}}","done":true}""", await reply.NextAsync());
        string seen;
        do
        {
            seen = await state.NextAsync();
        }
        while (seen.Length == 0);
        Assert.Equal(expected, seen);
        await AssertRetainedAsync(broker, home);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("3.1.1")]
    public async Task Everything_is_retained_but_events(string agentVersion)
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        await using var relay = new Version311Relay(broker.Port);
        await broker.PublishAsync("-r", "-q", "1", "-t", "base/old/availability", "-m", "online");
        await broker.PublishAsync("-r", "-q", "1", "-t", Config, "-m", """{"cmps":{"old":{"p":"switch"}}}""");
        var home = ExampleHome.MakeWithValues();
        await using var service = Start(broker, home, port: agentVersion == "5" ? null : relay.Port);
        await AssertRetainedAsync(broker, home);
        Assert.Equal(agentVersion, service.GetStatus()!.ProtocolVersion);
        using var bell = await MosquittoSubscriber.StartAsync(broker, "base/bell", "%r %p");
        home.Publish("bell", "press");
        Assert.Equal("""0 {"event_type":"press"}""", await bell.NextAsync());
        using var error = await MosquittoSubscriber.StartAsync(broker, "base/error", "%r %p");
        await broker.PublishAsync("-q", "1", "-t", "base/lamp/set", "-m", "bright");
        Assert.Equal(
            """{"entity":"lamp","code":"malformed","message":"lamp takes ON, OFF or a brightness from 0 to 100, not \"bright\""}""",
            (await error.NextAsync())[2..].Replace("\\u0022", "\\\"", StringComparison.Ordinal));

        await service.StopAsync();
        await AssertRetainedAsync(broker, home, "offline");
    }

    [Fact]
    public async Task Hostile_payloads_for_every_entity_leave_the_state_as_it_is()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        var home = ExampleHome.MakeWithValues();
        await using var service = Start(broker, home);
        await AssertRetainedAsync(broker, home);
        var before = ExampleHome.ExpectRetained(home);
        var noise = Path.Combine(broker.Folder, "noise");
        var bytes = new byte[100_000];
        new Random(1).NextBytes(bytes);
        await File.WriteAllBytesAsync(noise, bytes);

        foreach (var state in home.All)
        {
            var topic = $"base/{state.Entity.Id}/set";
            await broker.PublishAsync("-q", "1", "-t", topic, "-f", noise);
            await broker.PublishAsync("-q", "1", "-t", topic, "-n");
            await broker.PublishAsync("-q", "1", "-t", topic, "-m", "\u0001");
        }

        await broker.PublishAsync("-q", "1", "-t", "base/porch_privacy/set", "-m", "ON", "-r");
        await broker.PublishAsync("-q", "1", "-t", "base/porch_privacy/set", "-n", "-r");
        using var lamp = await MosquittoSubscriber.StartAsync(broker, "base/lamp", "%p");
        Assert.Equal("0", await lamp.NextAsync());
        await broker.PublishAsync("-q", "1", "-t", "base/lamp/set", "-m", "7");
        while (await lamp.NextAsync() != "7")
        {
        }

        Assert.Equal("ON", home.Find("porch_privacy")!.Value);
        before["base/lamp"] = ExampleHome.Hex("7");
        before["base/porch_privacy"] = ExampleHome.Hex("ON");
        Assert.Equal(before, ExampleHome.ExpectRetained(home));
        await AssertRetainedAsync(broker, home);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_broker_killed_under_load_has_nothing_wrong_retained_afterwards(bool keepsState)
    {
        await using var broker = new MosquittoBroker(keepsState: keepsState);
        await broker.StartAsync();
        var home = ExampleHome.MakeWithValues();
        for (var i = 0; i < 300; i++) home.Register(new SensorEntity($"sensor_{i}", $"Sensor {i}"));
        await using var service = Start(broker, home);
        await AssertRetainedAsync(broker, home);
        if (keepsState) await broker.SaveAsync();

        using var stop = new CancellationTokenSource();
        var load = Task.Run(() =>
        {
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                for (var i = 0; i < 300; i++) home.Publish($"sensor_{i}", $"{round}");
                home.SetAvailable($"sensor_{round % 300}", round % 2 == 0);
                home.PublishPicture("porch_snapshot", new byte[50_000 + (round % 1000)]);
                Thread.Yield();
            }
        });
        using (var lively = await MosquittoSubscriber.StartAsync(broker, "base/sensor_299", "%p"))
        {
            for (var i = 0; i < 20; i++) await lively.NextAsync();
        }

        await broker.StopAsync();
        for (var i = 0; i < 50; i++) home.Remove($"sensor_{i}");
        home.Remove("lamp");
        home.Register(new SwitchEntity("lamp", "Lamp, no longer dimmed"));
        home.Remove("temperature");
        await broker.StartAsync();
        while (service.GetStatus()!.Connections < 2) await Task.Delay(50);
        await stop.CancelAsync();
        await load;

        home.PublishPicture("porch_snapshot", ExampleHome.Jpeg);
        await AssertRetainedAsync(broker, home);
    }

    [Fact]
    public async Task What_an_earlier_run_left_is_cleaned_up()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        var earlier = ExampleHome.MakeWithValues();
        await using (var service = Start(broker, earlier))
        {
            await AssertRetainedAsync(broker, earlier);
        }

        using var configurations = await MosquittoSubscriber.StartAsync(broker, Config, "%p");
        await configurations.NextAsync();
        var home = new EntityRegistry();
        home.Register(new SwitchEntity("porch_privacy", "Privacy"));
        home.Register(new SwitchEntity("lamp", "Lamp, no longer dimmed"));
        await using var later = Start(broker, home);

        string configuration;
        do
        {
            configuration = await configurations.NextAsync();
        }
        while (!configuration.Contains("\"temperature\":{\"p\":\"sensor\"}", StringComparison.Ordinal));
        using var farewell = JsonDocument.Parse(configuration);
        Assert.Empty(DiscoverySchema.FindFaults(farewell.RootElement));
        Assert.Equal("""{"p":"light"}""", farewell.RootElement.GetProperty("cmps").GetProperty("lamp").GetRawText());
        await AssertRetainedAsync(broker, home);
    }

    [Fact]
    public async Task Topics_that_the_brokers_access_list_denies_are_named_in_the_log()
    {
        await using var broker = new MosquittoBroker("allow_anonymous true\nacl_file {folder}/acl");
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "acl"), "topic readwrite base/#\ntopic read homeassistant/status\n");
        await broker.StartAsync();
        var home = ExampleHome.MakeWithValues();
        using var log = new LogCollector();
        await using var service = Start(broker, home, log);

        Assert.Equal(
            $"The MQTT broker refused a message on {Config} (code 135); allow it to the agent's account in the broker's access list", await log.NextAsync());
        using var lamp = await MosquittoSubscriber.StartAsync(broker, "base/lamp", "%p");
        Assert.Equal("0", await lamp.NextAsync());
        home.Publish("lamp", "50");
        Assert.Equal("50", await lamp.NextAsync());
        Assert.False(log.TryNext(out var more), more);
    }
}
