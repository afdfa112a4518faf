using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Transport.Tests;

/// <summary>Against a responder on the loopback interface that answers by multicast from port 5353 only, as Chromium does.</summary>
public sealed class MdnsResolverTests : IDisposable
{
    private static readonly IPEndPoint Group = new(IPAddress.Parse("224.0.0.251"), 5353);

    private readonly MdnsResolver _resolver = new(NullLogger.Instance);
    private readonly Socket _responder = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentDictionary<string, int> _asked = new(StringComparer.Ordinal);

    public MdnsResolverTests()
    {
        const int SOL_SOCKET = 1; // asm-generic/socket.h
        const int SO_REUSEADDR = 2; // asm-generic/socket.h
        _responder.SetRawSocketOption(SOL_SOCKET, SO_REUSEADDR, BitConverter.GetBytes(1));
        _responder.Bind(new IPEndPoint(IPAddress.Any, Group.Port));
        var loopback = NetworkInterface.LoopbackInterfaceIndex;
        _responder.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(Group.Address, loopback));
        _responder.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(loopback));
    }

    public void Dispose()
    {
        _responder.Dispose();
        _resolver.Dispose();
    }

    [Fact]
    public async Task A_name_is_asked_for_by_multicast_and_the_multicast_answer_is_taken()
    {
        _ = RespondAsync(ignored: 0);
        Assert.Equal(IPAddress.Parse("192.0.2.55"), await _resolver.ResolveAsync("a-browser.local"));
    }

    [Fact]
    public async Task A_lost_query_is_repeated()
    {
        _ = RespondAsync(ignored: 1);
        Assert.Equal(IPAddress.Parse("192.0.2.55"), await _resolver.ResolveAsync("a-browser.local"));
    }

    [Fact]
    public async Task A_name_that_nobody_has_and_one_that_is_none_give_nothing()
    {
        Assert.Null(await _resolver.ResolveAsync("www.example.com"));
        Assert.Null(await _resolver.ResolveAsync("a.b.local"));
        Assert.Null(await _resolver.ResolveAsync("nobody.local"));
    }

    [Fact]
    public async Task Names_beyond_the_bound_are_refused_at_once()
    {
        var waiting = Enumerable.Range(0, MdnsResolver.MaximumInFlight).Select(i => _resolver.ResolveAsync($"nobody-{i}.local")).ToArray();
        Assert.True(_resolver.ResolveAsync("one-more.local").IsCompleted);
        Assert.Null(await _resolver.ResolveAsync("one-more.local"));
        Assert.All(await Task.WhenAll(waiting), Assert.Null);
    }

    private async Task RespondAsync(int ignored)
    {
        const int header = 12; // RFC 1035 §4.1.1
        const int typeA = 1;
        var buffer = new byte[1500];
        try
        {
            while (true)
            {
                var received = await _responder.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0));
                var question = buffer.AsMemory(header, received.ReceivedBytes - header);
                var isQueryForA = (buffer[2] & 0x80) == 0 && question.Span[^3] == typeA;
                if (!isQueryForA || _asked.AddOrUpdate("A", 1, (_, count) => count + 1) <= ignored)
                    continue;
                await _responder.SendToAsync(WriteAnswer(question.Span[..^4]), Group);
            }
        }
        catch (ObjectDisposedException)
        {
            // The test is over.
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.OperationAborted)
        {
            // So it is.
        }
    }

    private static byte[] WriteAnswer(ReadOnlySpan<byte> name)
    {
        Assert.Equal("a-browser", Encoding.ASCII.GetString(name[1..10]));
        byte[] fixedPart = [0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4]; // A, IN with cache flush, two minutes, four bytes
        byte[] answer = [.. new byte[12], .. name, .. fixedPart, 192, 0, 2, 55];
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(2), 0x8400); // response, authoritative
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(6), 1); // one answer
        return answer;
    }
}
