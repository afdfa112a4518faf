using System.Net;
using System.Net.Sockets;

namespace Agent.Mqtt.Tests;

/// <summary>Makes a broker one that knows only MQTT 3.1.1: refuses each CONNECT of version 5 as that version's brokers should, and passes the others on.</summary>
internal sealed class Version311Relay : IAsyncDisposable
{
    /// <summary>CONNACK of MQTT 5 with reason 0x84, Unsupported Protocol Version.</summary>
    private static readonly byte[] s_refusal = [0x20, 3, 0, 0x84, 0];

    /// <summary>Where the version stands in a CONNECT whose length takes one or two bytes, less that (MQTT 5 §3.1.2.2).</summary>
    private const int VersionAfterLength = 7;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _clients = [];
    private readonly Task _accepting;
    private readonly int _target;

    public Version311Relay(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        lock (_clients) _clients.ForEach(client => client.Dispose());
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (SocketException)
        {
            // The listener was stopped.
        }
    }

    private async Task ServeAsync(TcpClient incoming)
    {
        var outgoing = new TcpClient();
        lock (_clients) _clients.AddRange([incoming, outgoing]);
        try
        {
            var connect = new byte[1024];
            var length = await incoming.GetStream().ReadAsync(connect);
            if (connect[(connect[1] < 0x80 ? 1 : 2) + VersionAfterLength] == 5)
            {
                await incoming.GetStream().WriteAsync(s_refusal);
                incoming.Client.Shutdown(SocketShutdown.Send);
                return;
            }

            await outgoing.ConnectAsync(IPAddress.Loopback, _target);
            await outgoing.GetStream().WriteAsync(connect.AsMemory(0, length));
            await Task.WhenAny(
                incoming.GetStream().CopyToAsync(outgoing.GetStream()), outgoing.GetStream().CopyToAsync(incoming.GetStream()));
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException or InvalidOperationException or SocketException)
        {
            // Either side has gone.
        }
    }
}
