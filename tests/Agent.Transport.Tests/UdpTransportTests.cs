using System.Net;
using System.Net.Sockets;
using Agent.Interop.Libc;
using Agent.Rtc;

namespace Agent.Transport.Tests;

public sealed class UdpTransportTests
{
    private const int PacketsPerRound = 32;

    private readonly SocketPoller _poller = new();

    [Fact]
    public void Sending_and_receiving_allocates_nothing_per_packet()
    {
        var options = new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback] };
        using var sender = new UdpTransport(options);
        using var receiver = new UdpTransport(options);
        var path = new Transmit(1200, TransportAddress.From(IPAddress.Loopback, sender.Port), TransportAddress.From(IPAddress.Loopback, receiver.Port));
        for (var i = 0; i < 50; i++)
            SendRound(sender, receiver, path);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var bytes = 0L;
        for (var i = 0; i < 500; i++)
            bytes += SendRound(sender, receiver, path);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(500L * PacketsPerRound * 1200, bytes);
        Assert.Equal(0, allocated);
        Assert.Equal(550L * PacketsPerRound, sender.DatagramsSent);
    }

    [Fact]
    public void With_several_listen_addresses_a_datagram_to_any_other_is_rejected()
    {
        var options = new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback, IPAddress.IPv6Loopback] };
        using var transport = new UdpTransport(options);
        using var client = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true };
        client.SendTo([1], new IPEndPoint(IPAddress.Parse("127.0.0.3"), transport.Port));
        client.SendTo([2], new IPEndPoint(IPAddress.Loopback, transport.Port));
        client.SendTo([3], new IPEndPoint(IPAddress.IPv6Loopback, transport.Port));

        var accepted = new List<(byte, IPAddress)>();
        while (transport.DatagramsReceived < 3)
        {
            Assert.True(WaitForDatagrams(transport));
            var count = transport.Receive(out _);
            for (var i = 0; i < count; i++)
            {
                if (transport.TryGetDatagram(i, out var datagram, out var local, out _))
                    accepted.Add((datagram[0], local.ToIPAddress()));
            }
        }

        Assert.Equal([(2, IPAddress.Loopback), (3, IPAddress.IPv6Loopback)], accepted);
        Assert.Equal(1, transport.DatagramsRejected);
    }

    [Fact]
    public void A_taken_port_is_refused_with_the_mend()
    {
        var options = new TransportOptions { UdpPort = 0, ListenAddresses = [IPAddress.Loopback] };
        using var first = new UdpTransport(options);
        var error = Assert.Throws<InvalidOperationException>(() => new UdpTransport(options with { UdpPort = first.Port }));
        Assert.Contains($"UDP {first.Port} on 127.0.0.1", error.Message, StringComparison.Ordinal);
        Assert.Contains("ss -ulpn", error.Message, StringComparison.Ordinal);
    }

    private bool WaitForDatagrams(UdpTransport transport)
    {
        _poller.Clear();
        var index = transport.Register(_poller, forWrite: false);
        _poller.Wait(TimeSpan.FromSeconds(5));
        return _poller.IsReadable(index);
    }

    private long SendRound(UdpTransport sender, UdpTransport receiver, Transmit path)
    {
        for (var i = 0; i < PacketsPerRound; i++)
            sender.Add(path);
        if (!sender.TryFlush())
            throw new InvalidOperationException("The socket's buffer is too small for the test.");

        var bytes = 0L;
        for (var arrived = 0; arrived < PacketsPerRound;)
        {
            if (!WaitForDatagrams(receiver))
                throw new TimeoutException("The datagrams did not arrive.");
            var count = receiver.Receive(out _);
            for (var i = 0; i < count; i++, arrived++)
            {
                if (receiver.TryGetDatagram(i, out var datagram, out _, out var remote) && remote == path.Local)
                    bytes += datagram.Length;
            }
        }

        return bytes;
    }
}
