using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>The whole service against a real mosquitto.</summary>
public sealed class MqttServiceTests
{
    private const string Offer = """{"type":"offer","sdp":"v=0"}""";

    private static MqttService Make(int port, FakeGateway gateway) =>
        new(new MqttOptions { Host = "127.0.0.1", Port = port, BaseTopic = "base", KeepAliveSeconds = 5 }, gateway, "main", NullLoggerFactory.Instance);

    [Fact]
    public async Task The_retained_status_follows_the_service_and_its_death()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var subscriber = await MosquittoSubscriber.StartAsync(broker, "base/status", "%p");
        await using var relay = new SeverableRelay(broker.Port);

        var service = Make(relay.Port, new FakeGateway());
        service.Start();
        Assert.Equal("online", await subscriber.NextAsync());
        relay.Sever();
        Assert.Equal("offline", await subscriber.NextAsync());
        Assert.Equal("online", await subscriber.NextAsync());
        await service.StopAsync();
        Assert.Equal("offline", await subscriber.NextAsync());

        using var late = await MosquittoSubscriber.StartAsync(broker, "base/status", "%r %p");
        Assert.Equal("1 offline", await late.NextAsync());
    }

    [Theory]
    [InlineData("5")]
    [InlineData("311")]
    public async Task An_offer_through_the_broker_is_answered(string version)
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var status = await MosquittoSubscriber.StartAsync(broker, "base/status", "%p");
        var gateway = new FakeGateway();
        await using var service = Make(broker.Port, gateway);
        service.Start();
        Assert.Equal("online", await status.NextAsync());
        using var answers = await MosquittoSubscriber.StartAsync(broker, "base/webrtc/answer/c1", "%p", "-V", version);
        using var candidates = await MosquittoSubscriber.StartAsync(broker, "base/webrtc/ice/c1/device", "%p", "-V", version);
        using var byes = await MosquittoSubscriber.StartAsync(broker, "base/webrtc/bye/c1", "%p", "-V", version);

        await broker.PublishAsync("-V", version, "-q", "1", "-t", "base/webrtc/offer/c1", "-m", Offer);

        Assert.Equal("""{"type":"answer","sdp":"v=0\r\na=group:BUNDLE 0\r\n"}""", await answers.NextAsync());
        Assert.Equal("null", await candidates.NextAsync());
        gateway.EndSession("s1", "over");
        Assert.Equal("""{"type":"bye","from":"device","reason":"over"}""", await byes.NextAsync());
        Assert.True(service.GetStatus()!.Connected);
    }

    [Fact]
    public async Task Hostile_payloads_on_every_topic_leave_the_service_answering()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var status = await MosquittoSubscriber.StartAsync(broker, "base/status", "%p");
        await using var service = Make(broker.Port, new FakeGateway());
        service.Start();
        Assert.Equal("online", await status.NextAsync());
        using var answers = await MosquittoSubscriber.StartAsync(broker, "base/webrtc/answer/good", "%p");
        var file = Path.Combine(broker.Folder, "noise");
        var noise = new byte[100_000];
        new Random(1).NextBytes(noise);
        await File.WriteAllBytesAsync(file, noise);

        foreach (var kind in new[] { "offer", "ice", "bye" })
        {
            await broker.PublishAsync("-q", "1", "-t", $"base/webrtc/{kind}/bad", "-f", file);
            await broker.PublishAsync("-q", "1", "-t", $"base/webrtc/{kind}/bad", "-n");
            await broker.PublishAsync("-q", "1", "-t", $"base/webrtc/{kind}/{new string('x', 300)}", "-m", "{}");
        }

        await broker.PublishAsync("-q", "1", "-t", "base/webrtc/offer/good", "-m", Offer);

        Assert.StartsWith("""{"type":"answer",""", await answers.NextAsync());
    }

    /// <summary>Passes TCP connections on and can cut them all, which is how an unplugged or killed agent looks to the broker.</summary>
    private sealed class SeverableRelay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly int _target;
        private readonly Task _accepting;
        private readonly List<TcpClient> _clients = [];

        public SeverableRelay(int target)
        {
            _target = target;
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void Sever()
        {
            lock (_clients)
            {
                _clients.ForEach(client => client.Dispose());
                _clients.Clear();
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            Sever();
            await _accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var incoming = await _listener.AcceptTcpClientAsync();
                    var outgoing = new TcpClient();
                    await outgoing.ConnectAsync(IPAddress.Loopback, _target);
                    lock (_clients)
                    {
                        _clients.AddRange([incoming, outgoing]);
                    }

                    _ = CopyAsync(incoming, outgoing);
                    _ = CopyAsync(outgoing, incoming);
                }
            }
            catch (SocketException)
            {
                // The listener was stopped.
            }
        }

        private static async Task CopyAsync(TcpClient from, TcpClient to)
        {
            try
            {
                await from.GetStream().CopyToAsync(to.GetStream());
                to.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception severed) when (severed is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
            {
                // Sever() closed either side.
            }
        }
    }
}
