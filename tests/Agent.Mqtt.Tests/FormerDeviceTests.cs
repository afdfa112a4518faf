using System.Diagnostics;
using Agent.Home;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>A device whose name at the broker has been changed.</summary>
public sealed class FormerDeviceTests : IDisposable
{
    private static readonly MqttIdentity s_former = new("base", "Porch-1", "homeassistant");

    private readonly FakeMqttConnection _connection = new();

    public void Dispose() => _connection.Dispose();

    private FormerDevice Make(MqttIdentity present, ILogger? log = null) => new(_connection, s_former, present, log ?? NullLogger.Instance, TimeProvider.System);

    [Fact]
    public async Task What_it_left_under_its_former_name_is_gone_from_a_real_broker()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        await broker.PublishAsync("-r", "-q", "1", "-t", "neighbour/status", "-m", "offline");
        await using (var earlier = Start(broker, "base", ExampleHome.For(ExampleHome.MakeWithValues())))
        {
            await WaitForAsync(broker, tree => tree.ContainsKey("base/lamp") && tree.ContainsKey("homeassistant/device/camera-agent-Porch-1/config"));
        }

        var home = new EntityRegistry();
        home.Register(new SwitchEntity("porch_privacy", "Privacy"));
        home.Publish("porch_privacy", "OFF");
        await using var later = Start(
            broker, "shed", new MqttHome(home, new HomeAssistantOptions(), new DeviceDescription("1.0"), "Shed", s_former));
        await WaitForAsync(broker, tree => tree.Keys.SequenceEqual(
        [
            "homeassistant/device/camera-agent-Shed/config", "neighbour/status", "shed/porch_privacy", "shed/porch_privacy/availability", "shed/status",
        ]));
    }

    [Fact]
    public async Task A_name_that_another_device_has_now_is_left_alone()
    {
        using var log = new LogCollector();
        await using var former = Make(s_former with { BaseTopic = "shed", DeviceId = "Shed" }, log);
        _connection.Connect();
        _connection.Receive("base/status", "offline");
        _connection.Receive("base/status", "online", retained: true);
        _connection.Receive("base/status", "offline", retained: true);
        Assert.Equal([("base/status", 1, false)], _connection.Subscriptions);
        Assert.False(_connection.TryNext(out _));
        Assert.StartsWith("This device was base at the broker before, and another device is now", await log.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Shed", "homeassistant")]
    [InlineData("Porch-1", "ha")]
    public async Task An_announcement_under_another_name_or_prefix_is_taken_back_though_the_topics_go_on(string device, string prefix)
    {
        await using var former = Make(new MqttIdentity("base", device, prefix));
        _connection.Connect();
        var published = await _connection.NextAsync();
        Assert.Equal(("homeassistant/device/camera-agent-Porch-1/config", "", true), (published.Topic, published.Payload, published.Retain));
        Assert.False(_connection.TryNext(out _));
        Assert.Empty(_connection.Subscriptions);
    }

    [Fact]
    public async Task Topics_that_are_called_otherwise_are_emptied_and_the_announcement_that_stays_is_not()
    {
        await using var former = Make(s_former with { BaseTopic = "shed" });
        _connection.Connect();
        _connection.Receive("base/status", "offline", retained: true);
        var status = await _connection.NextAsync();
        Assert.Equal(("base/status", "", true), (status.Topic, status.Payload, status.Retain));
        Assert.Equal(["base/status", "base/+/availability"], _connection.Subscriptions.Select(s => s.Filter));
        _connection.Receive("base/lamp/availability", "online", retained: true);
        Assert.Equal("base/lamp", (await _connection.NextAsync()).Topic);
        Assert.Equal(("base/lamp/availability", ""), (await _connection.NextAsync()) is var last ? (last.Topic, last.Payload) : default);
    }

    private static MqttService Start(MosquittoBroker broker, string baseTopic, MqttHome home)
    {
        var service = new MqttService(
            new MqttOptions { Host = "127.0.0.1", Port = broker.Port, BaseTopic = baseTopic, Device = home.DeviceId, KeepAliveSeconds = 5 }, new FakeGateway(), "main",
            NullLoggerFactory.Instance, home);
        service.Start();
        return service;
    }

    private static async Task WaitForAsync(MosquittoBroker broker, Func<SortedDictionary<string, string>, bool> isThere)
    {
        var started = Stopwatch.GetTimestamp();
        SortedDictionary<string, string> tree;
        do tree = await broker.ReadRetainedAsync();
        while (!isThere(tree) && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(60));
        Assert.True(isThere(tree), string.Join('\n', tree.Keys));
    }
}
