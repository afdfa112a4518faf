using Agent.Rtc.Ice;
using Agent.Rtc.Tests.Ice;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Turn;

namespace Agent.Rtc.Tests.Turn;

/// <summary>A host whose datagrams of one socket go through a TURN server, as the media loop puts them there.</summary>
internal sealed class TurnNode(string address, TransportAddress server, int seed, string password = SimulatedTurnServer.Password)
    : SimulatedNode(IceNode.Parse(address))
{
    private readonly Queue<(byte[] Data, TransportAddress Peer)> _sending = [];

    public TurnClient Client { get; set; } = new(false, SimulatedTurnServer.UserName, password, new SeededRandomSource(seed));

    /// <summary>Runs over the relayed address, if set.</summary>
    public IceAgent? Ice { get; set; }

    public List<(TransportAddress Peer, byte[] Data)> Received { get; } = [];

    public int MessagesRefused { get; private set; }

    public override MonotonicTime NextTimeout => Ice is null ? Client.NextTimeout : MonotonicTime.Min(Client.NextTimeout, Ice.NextTimeout);

    public void Send(byte[] data, TransportAddress peer) => _sending.Enqueue((data, peer));

    public override void HandleTimeout(MonotonicTime now)
    {
        Client.HandleTimeout(now);
        Ice?.HandleTimeout(now);
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (remote != server || !Client.HandleMessage(datagram, now, out var relayed))
        {
            MessagesRefused++;
        }
        else if (relayed.Length > 0)
        {
            var data = datagram.Slice(relayed.Offset, relayed.Length);
            if (Ice?.HandleDatagram(data, relayed.Relayed, relayed.Peer, now) != true)
            {
                Received.Add((relayed.Peer, data.ToArray()));
            }
        }
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        if (Client.TryDequeueTransmit(buffer, now, out var length))
        {
            transmit = new Transmit(length, Addresses[0], server);
            return true;
        }

        while (TryTakeDatagram(buffer, out var datagram))
        {
            length = Client.Wrap(buffer, datagram.Length, datagram.Remote, now);
            if (length > 0)
            {
                transmit = new Transmit(length, Addresses[0], server);
                return true;
            }
        }

        // What waits for a permission has made a request.
        if (Client.TryDequeueTransmit(buffer, now, out length))
        {
            transmit = new Transmit(length, Addresses[0], server);
            return true;
        }

        transmit = default;
        return false;
    }

    private bool TryTakeDatagram(Span<byte> buffer, out Transmit datagram)
    {
        if (_sending.TryDequeue(out var next))
        {
            next.Data.CopyTo(buffer);
            datagram = new Transmit(next.Data.Length, default, next.Peer);
            return true;
        }

        datagram = default;
        return Ice?.TryDequeueTransmit(buffer, out datagram) == true;
    }
}

/// <summary>A peer that answers each datagram with the same one.</summary>
internal sealed class EchoNode(string address) : SimulatedNode(IceNode.Parse(address))
{
    private readonly Queue<(byte[] Data, TransportAddress To)> _replies = [];

    public List<byte[]> Received { get; } = [];

    public void Send(byte[] data, TransportAddress to) => _replies.Enqueue((data, to));

    public override MonotonicTime NextTimeout => MonotonicTime.Never;

    public override void HandleTimeout(MonotonicTime now)
    {
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        Received.Add(datagram.ToArray());
        _replies.Enqueue((datagram.ToArray(), remote));
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        transmit = default;
        if (!_replies.TryDequeue(out var reply))
        {
            return false;
        }

        reply.Data.CopyTo(buffer);
        transmit = new Transmit(reply.Data.Length, Addresses[0], reply.To);
        return true;
    }
}
