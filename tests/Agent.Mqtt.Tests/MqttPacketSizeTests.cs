using Agent.Home;

namespace Agent.Mqtt.Tests;

/// <summary>Brokers that take no packets as large as a picture.</summary>
public sealed class MqttPacketSizeTests
{
    private const string Limited = "allow_anonymous true\nmax_packet_size 20000";

    private static MqttService Start(int port, EntityRegistry home, LogCollector log)
    {
        var service = new MqttService(
            new MqttOptions { Host = "127.0.0.1", Port = port, BaseTopic = "base", KeepAliveSeconds = 5 }, new FakeGateway(), "main", log, ExampleHome.For(home));
        service.Start();
        return service;
    }

    [Fact]
    public async Task A_picture_that_is_too_large_is_named_and_everything_else_goes_on()
    {
        await using var broker = new MosquittoBroker(Limited);
        await broker.StartAsync();
        var home = ExampleHome.MakeWithValues();
        using var log = new LogCollector();
        await using var service = Start(broker.Port, home, log);
        using var lamp = await MosquittoSubscriber.StartAsync(broker, "base/lamp", "%p");
        Assert.Equal("0", await lamp.NextAsync());

        home.PublishPicture("porch_snapshot", new byte[30_000]);
        Assert.Equal(
            "A message of 30000 bytes on base/porch_snapshot is not sent: the MQTT broker takes packets of 20000 bytes; "
            + "raise that (mosquitto: max_packet_size), or make the picture smaller", await log.NextAsync());
        home.Publish("lamp", "50");
        Assert.Equal("50", await lamp.NextAsync());
        Assert.Equal((1, 1), (service.GetStatus()!.Connections, service.GetStatus()!.PublishDropped));
    }

    [Fact]
    public async Task A_broker_of_MQTT_3_1_1_that_closes_the_connection_for_it_is_suspected()
    {
        await using var broker = new MosquittoBroker(Limited);
        await broker.StartAsync();
        await using var relay = new Version311Relay(broker.Port);
        var home = ExampleHome.MakeWithValues();
        using var log = new LogCollector();
        await using var service = Start(relay.Port, home, log);
        using var lamp = await MosquittoSubscriber.StartAsync(broker, "base/lamp", "%p");
        Assert.Equal("0", await lamp.NextAsync());

        home.PublishPicture("porch_snapshot", new byte[30_000]);
        string line;
        do
        {
            line = await log.NextAsync();
        }
        while (!line.Contains("30000", StringComparison.Ordinal));
        Assert.Contains(
            "; if the 30000 bytes on base/porch_snapshot were too much for the broker, raise the size of packets that it takes (mosquitto: max_packet_size)", line,
            StringComparison.Ordinal);
    }
}
