using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Turn;

namespace Agent.Transport;

/// <summary>An allocation on a TURN server, or the attempt to get one. The loop owns it.</summary>
internal sealed class TurnRelay(IceServerUrl url, TransportAddress server, TurnClient client, ServerStream? stream, MonotonicTime startedAt) : IDisposable
{
    private const int StreamBufferLength = 2048; // TurnClient wants 1500 and more for a wrapped datagram

    internal IceServerUrl Url => url;

    internal TransportAddress Server => server;

    internal TurnClient Client => client;

    internal MonotonicTime StartedAt => startedAt;

    /// <summary>What carries its messages; <c>null</c> if they are datagrams of the media port.</summary>
    internal ServerStream? Stream => stream;

    /// <summary>The local address that the server answers to.</summary>
    internal TransportAddress LocalAddress { get; set; }

    /// <summary>Puts the client's requests into the stream, and what waits there into the kernel.</summary>
    internal void Flush(MonotonicTime now)
    {
        Span<byte> buffer = stackalloc byte[StreamBufferLength];
        while (client.TryDequeueTransmit(buffer, now, out var length))
            stream!.TrySend(buffer[..length]);
        stream!.Flush();
        if (stream.Failure is { } failure)
            client.Abandon(failure);
    }

    /// <summary>Whether it reaches the server from one of these addresses, whatever their ports.</summary>
    internal bool IsFrom(IReadOnlyList<TransportAddress> addresses)
    {
        var local = (stream?.LocalAddress ?? LocalAddress).WithPort(0);
        return addresses.Any(address => address.WithPort(0).WithProtocol(TransportProtocol.Udp) == local);
    }

    public void Dispose() => stream?.Dispose();

    internal bool Relays(TransportAddress address) => address == client.RelayedIPv4 || address == client.RelayedIPv6;
}
