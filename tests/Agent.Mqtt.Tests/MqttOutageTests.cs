using System.Net;
using System.Net.Sockets;

namespace Agent.Mqtt.Tests;

/// <summary>A network that falls silent: nothing arrives any more, and nobody says so.</summary>
public sealed class MqttOutageTests
{
    [Fact]
    public async Task A_silent_network_is_noticed_by_the_keep_alive_and_nothing_retained_is_wrong_afterwards()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        await using var network = new SilentRelay(broker.Port);
        using var status = await MosquittoSubscriber.StartAsync(broker, "base/status", "%p");
        var home = ExampleHome.MakeWithValues();
        using var log = new LogCollector();
        // Both sides check after 5 s, the least that mosquitto takes: the broker gives the agent up after 7.5 s, the agent the broker after 10 s.
        await using var service = new MqttService(
            new MqttOptions { Host = "127.0.0.1", Port = network.Port, BaseTopic = "base", KeepAliveSeconds = 5 }, new FakeGateway(), "main", log, ExampleHome.For(home));
        service.Start();
        Assert.Equal("online", await status.NextAsync());
        await MqttHomeTests.AssertRetainedAsync(broker, home);

        network.FallSilent();
        home.Publish("lamp", "55");
        home.Publish("temperature", "3");
        home.Remove("led");
        home.SetAvailable("porch_bitrate", false);
        Assert.Equal("offline", await status.NextAsync());
        Assert.Contains("next attempt in", await log.NextAsync(), StringComparison.Ordinal);
        home.Publish("lamp", "66");
        network.Recover();

        Assert.Equal("online", await status.NextAsync());
        await MqttHomeTests.AssertRetainedAsync(broker, home);
        Assert.Equal(2, service.GetStatus()!.Connections);
    }

    /// <summary>Passes TCP connections on, until it swallows whatever comes from either side; connections of that time stay dead.</summary>
    private sealed class SilentRelay : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly int _target;
        private readonly Task _accepting;
        private readonly List<Task> _passing = [];
        private readonly List<TcpClient> _clients = [];
        private readonly CancellationTokenSource _stop = new();
        private volatile bool _isSilent;

        public SilentRelay(int target)
        {
            _target = target;
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void FallSilent() => _isSilent = true;

        public void Recover() => _isSilent = false;

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Stop();
            await _accepting;
            foreach (var client in _clients) client.Dispose();
            await Task.WhenAll(_passing);
            _stop.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var near = await _listener.AcceptTcpClientAsync(_stop.Token);
                    var far = new TcpClient();
                    await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                    _clients.AddRange([near, far]);
                    _passing.Add(PassAsync(near, far));
                    _passing.Add(PassAsync(far, near));
                }
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        private async Task PassAsync(TcpClient from, TcpClient to)
        {
            var isDead = false;
            var buffer = new byte[16 * 1024];
            try
            {
                while (await from.GetStream().ReadAsync(buffer, _stop.Token) is var count and > 0)
                {
                    isDead |= _isSilent;
                    if (!isDead) await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _stop.Token);
                }

                // Nor does the end of one side's connection get through.
                if (!isDead && !_isSilent) to.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception ended) when (ended is OperationCanceledException or IOException or ObjectDisposedException or SocketException or InvalidOperationException)
            {
                // Either side has gone.
            }
        }
    }
}
