using System.Net;
using System.Net.Sockets;
using Agent.Interop.Libc;

namespace Agent.Interop.Tests.Libc;

public sealed class UdpSocketTests
{
    private const int SlotSize = 1536;
    private const int BufferBytes = 1 << 20;
    private static readonly byte[] Loopback4 = [127, 0, 0, 1];

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.7")]
    [InlineData("::1")]
    public void A_socket_on_every_address_tells_which_address_a_datagram_came_to_and_answers_from_it(string address)
    {
        using var server = UdpSocket.Bind(IPAddress.IPv6Any, 0, BufferBytes);
        var target = IPAddress.Parse(address);
        using var client = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(target, server.Port);
        client.Send([1, 2, 3]);

        var received = new ReceiveBatch(server, 8, SlotSize);
        Assert.Equal(1, ReceiveSome(server, received));
        Assert.Equal([1, 2, 3], received.GetDatagram(0).ToArray());
        Assert.False(received.IsTruncated(0));
        Assert.Equal(target, Unmap(received.GetLocalAddress(0)));
        Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, received.GetRemotePort(0));

        var batch = new SendBatch(server, 8, SlotSize);
        batch.NextSlot[0] = 9;
        batch.Add(1, received.GetRemoteAddress(0), received.GetRemotePort(0), received.GetRemoteScope(0), received.GetLocalAddress(0));
        Assert.True(batch.TryFlush());
        var answer = new byte[16];
        client.ReceiveTimeout = 5000;
        Assert.Equal(1, client.Receive(answer)); // a connected socket takes nothing from another address
        Assert.Equal(9, answer[0]);
    }

    [Fact]
    public void Without_IPv6_the_same_is_done_over_an_IPv4_socket()
    {
        using var server = UdpSocket.BindIPv4(IPAddress.Any, 0, BufferBytes);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        client.Connect(IPAddress.Parse("127.0.0.9"), server.Port);
        client.Send([1]);

        var received = new ReceiveBatch(server, 8, SlotSize);
        Assert.Equal(1, ReceiveSome(server, received));
        Assert.Equal(IPAddress.Parse("127.0.0.9"), Unmap(received.GetLocalAddress(0)));

        var batch = new SendBatch(server, 8, SlotSize);
        batch.Add(700, received.GetRemoteAddress(0), received.GetRemotePort(0), 0, received.GetLocalAddress(0));
        batch.AddToSamePath(700);
        Assert.True(batch.TryFlush());
        var answer = new byte[SlotSize];
        Assert.Equal(700, client.Receive(answer));
        Assert.Equal(700, client.Receive(answer));
        Assert.Equal(0, batch.SendErrors);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Datagrams_of_equal_and_other_sizes_keep_their_bounds_and_order_with_and_without_segmentation(bool segmenting)
    {
        using var server = UdpSocket.Bind(IPAddress.IPv6Any, 0, BufferBytes);
        using var client = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        var batch = new SendBatch(server, 64, SlotSize);
        Assert.True(batch.IsSegmenting, "the kernel of this machine has UDP_SEGMENT");
        batch.IsSegmenting = segmenting;
        int[] lengths = [1200, 1200, 1200, 300, 1200, 1200, 90, 1300, 40];
        SendAll(batch, lengths, client.Port);
        AssertArrived(client, lengths);
        Assert.Equal(lengths.Length, batch.DatagramsSent);
        Assert.Equal(segmenting, batch.IsSegmenting);
    }

    [Fact]
    public void When_a_path_refuses_segmentation_the_batch_arrives_unsegmented_and_later_ones_do_too()
    {
        using var server = UdpSocket.Bind(IPAddress.IPv6Any, 0, BufferBytes);
        using var client = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        var batch = new SendBatch(server, 64, SlotSize);
        int[] lengths = [1200, 1200, 1200, 300, 1200, 1200, 90];
        // A socket that sends without checksums (SO_NO_CHECK) cannot segment: the kernel answers EIO or EINVAL, as for a poor device.
        DisableChecksums(server);
        SendAll(batch, lengths, client.Port);
        Assert.False(batch.IsSegmenting);
        AssertArrived(client, lengths);
        SendAll(batch, lengths, client.Port);
        AssertArrived(client, lengths);
        Assert.Equal(0, batch.SendErrors);
        Assert.Equal(2 * lengths.Length, batch.DatagramsSent);
    }

    [Fact]
    public void A_destination_without_a_route_is_counted_and_the_rest_of_the_batch_goes_out()
    {
        using var server = UdpSocket.Bind(IPAddress.IPv6Any, 0, BufferBytes);
        using var client = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        var batch = new SendBatch(server, 8, SlotSize);
        batch.Add(10, [192, 0, 2, 1], 9, 0, [192, 0, 2, 77]); // a source address that is not this machine's
        batch.AddToSamePath(10);
        batch.Add(11, Loopback4, client.Port, 0, default);
        Assert.True(batch.TryFlush());
        Assert.Equal(2, batch.SendErrors);
        Assert.True(batch.IsSegmenting, "the refusal had nothing to do with segmentation");
        AssertArrived(client, [11]);
    }

    [Fact]
    public void A_full_socket_buffer_keeps_the_rest_for_later_and_in_order()
    {
        using var server = UdpSocket.Bind(IPAddress.Loopback, 0, 1); // the kernel's least: room for two or three datagrams
        using var client = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        var batch = new SendBatch(server, 64, SlotSize) { IsSegmenting = false };
        var lengths = Enumerable.Range(0, 64).Select(i => 1000 + i).ToArray();
        var received = new ReceiveBatch(client, 64, SlotSize);
        var arrived = new List<int>();

        AddAll(batch, lengths, client.Port);
        while (!batch.TryFlush())
            Assert.True(Poll(server, forWrite: true).Writable);
        while (arrived.Count < lengths.Length)
        {
            var count = ReceiveSome(client, received);
            for (var i = 0; i < count; i++)
                arrived.Add(received.GetDatagram(i).Length);
        }

        Assert.Equal(lengths, arrived);
    }

    [Fact]
    public void A_datagram_longer_than_its_slot_is_marked()
    {
        using var server = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.SendTo(new byte[2000], new IPEndPoint(IPAddress.Loopback, server.Port));
        var received = new ReceiveBatch(server, 8, SlotSize);
        Assert.Equal(1, ReceiveSome(server, received));
        Assert.True(received.IsTruncated(0));
        Assert.Equal(SlotSize, received.GetDatagram(0).Length);
    }

    [Fact]
    public void A_taken_port_names_the_function_and_the_address()
    {
        using var first = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        var error = Assert.Throws<LibcException>(() => UdpSocket.Bind(IPAddress.Loopback, first.Port, BufferBytes));
        Assert.Equal(Errno.EADDRINUSE, error.NativeErrorCode);
        Assert.Contains($"bind (UDP 127.0.0.1:{first.Port}) failed: Address already in use", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_eventfd_wakes_the_poller_once_until_it_is_signaled_again()
    {
        using var socket = UdpSocket.Bind(IPAddress.Loopback, 0, BufferBytes);
        using var wake = new EventFd();
        Assert.False(IsSignaled(TimeSpan.Zero));
        wake.Signal();
        wake.Signal();
        Assert.True(IsSignaled(Timeout.InfiniteTimeSpan));
        wake.Drain();
        wake.Drain();
        Assert.False(IsSignaled(TimeSpan.Zero));
        Assert.Equal((false, true), Poll(socket, forWrite: true));

        bool IsSignaled(TimeSpan timeout)
        {
            var poller = new SocketPoller();
            poller.Add(socket, forWrite: false);
            var index = poller.Add(wake);
            poller.Wait(timeout);
            return poller.IsReadable(index);
        }
    }

    private static (bool Readable, bool Writable) Poll(UdpSocket socket, bool forWrite)
    {
        var poller = new SocketPoller();
        var index = poller.Add(socket, forWrite);
        poller.Wait(TimeSpan.FromSeconds(5));
        return (poller.IsReadable(index), poller.IsWritable(index));
    }

    private static unsafe void DisableChecksums(UdpSocket socket)
    {
        const int SO_NO_CHECK = 11; // asm-generic/socket.h
        var on = 1;
        Assert.Equal(0, Syscalls.setsockopt(socket.Descriptor, SocketConstants.SOL_SOCKET, SO_NO_CHECK, &on, sizeof(int)));
    }

    private static void SendAll(SendBatch batch, int[] lengths, ushort port)
    {
        AddAll(batch, lengths, port);
        Assert.True(batch.TryFlush());
        Assert.True(batch.IsEmpty);
    }

    private static void AddAll(SendBatch batch, int[] lengths, ushort port)
    {
        for (var i = 0; i < lengths.Length; i++)
        {
            batch.NextSlot[..lengths[i]].Fill((byte)i);
            if (batch.IsEmpty)
                batch.Add(lengths[i], Loopback4, port, 0, Loopback4);
            else
                batch.AddToSamePath(lengths[i]);
        }
    }

    private static void AssertArrived(UdpSocket socket, int[] lengths)
    {
        var received = new ReceiveBatch(socket, 64, SlotSize);
        var arrived = 0;
        while (arrived < lengths.Length)
        {
            var count = ReceiveSome(socket, received);
            for (var i = 0; i < count; i++, arrived++)
            {
                Assert.Equal(lengths[arrived], received.GetDatagram(i).Length);
                Assert.Equal(-1, received.GetDatagram(i).IndexOfAnyExcept((byte)arrived));
            }
        }
    }

    private static int ReceiveSome(UdpSocket socket, ReceiveBatch batch)
    {
        Assert.True(Poll(socket, forWrite: false).Readable);
        return batch.Receive();
    }

    private static IPAddress Unmap(ReadOnlySpan<byte> address)
    {
        var parsed = new IPAddress(address);
        return parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
    }
}
