using System.Net;
using System.Net.Sockets;
using Agent.Interop.Libc;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Turn;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// The agent's own use of the configured STUN and TURN servers: what they tell is gathered ahead and kept, for all viewers together, so that
/// no answer waits for a server. The loop owns it; any thread reads what is marked so.
/// </summary>
internal sealed partial class IceServerClients
{
    private readonly StunServer[] _stun;
    private readonly List<TurnServer> _turn;
    private readonly Func<IceServerOptions, Viewer?, TurnServer> _createTurn;
    private readonly ILogger _logger;
    private readonly ushort _mediaPort;
    private readonly HashSet<string> _loggedFailures = [];
    private readonly IceServerUrl[] _viewersOnly;
    private volatile Gathering _gathering;
    private long _datagramsSent;
    private long _datagramsReceived;
    private long _datagramsDropped;

    internal IceServerClients(TransportOptions options, ushort mediaPort, BackgroundWork background, IRandomSource random, ILogger logger)
    {
        _logger = logger;
        _mediaPort = mediaPort;
        var listen = options.ListenAddresses;
        var hasIPv6 = Socket.OSSupportsIPv6 && (listen.Count == 0 || listen.Any(address => address.AddressFamily == AddressFamily.InterNetworkV6));
        var hasIPv4 = listen.Count != 1 || listen[0].AddressFamily == AddressFamily.InterNetwork || listen[0].Equals(IPAddress.IPv6Any);
        bool CanReach(TransportAddress server) => server.IsIPv4 ? hasIPv4 : hasIPv6;
        _createTurn = (server, owner) => new TurnServer(server, background, random, CanReach, owner is null ? _guests.Keys : [], logger) { Owner = owner };
        _stun = [.. options.IceServers.SelectMany(server => server.Urls).Where(url => url is { IsTurn: false, Transport: IceServerTransport.Udp })
            .Select(url => new StunServer(url, background, random, CanReach))];
        _turn = [.. options.IceServers.Where(server => server.Urls.Any(url => url.IsTurn))
            .Select(server => _createTurn(server, null))];
        _viewersOnly = [.. options.IceServers.SelectMany(server => server.Urls).Where(url => url is { IsTurn: false, Transport: not IceServerTransport.Udp })];
        _gathering = Collect();
    }

    /// <summary>Any thread.</summary>
    internal IReadOnlyList<IceServerStatus> Status => _gathering.Status;

    /// <summary>Any thread: in falling preference.</summary>
    internal IReadOnlyList<GatheredAddress> Gathered => _gathering.Addresses;

    /// <summary>Any thread: viewers' datagrams that went through a relay.</summary>
    internal long DatagramsSent => Volatile.Read(ref _datagramsSent);

    /// <summary>Any thread: viewers' datagrams that came through a relay.</summary>
    internal long DatagramsReceived => Volatile.Read(ref _datagramsReceived);

    /// <summary>Any thread: datagrams that could not be relayed.</summary>
    internal long DatagramsDropped => Volatile.Read(ref _datagramsDropped);

    internal MonotonicTime NextTimeout
    {
        get
        {
            var next = MonotonicTime.Never;
            foreach (var server in _stun)
                next = MonotonicTime.Min(next, server.NextTimeout);
            foreach (var server in _turn)
                next = MonotonicTime.Min(next, server.NextTimeout);
            return next;
        }
    }

    internal void HandleTimeout(MonotonicTime now)
    {
        if (now < NextTimeout)
            return;
        _turn.RemoveAll(static server => server.IsDone);
        foreach (var server in _stun)
            server.HandleTimeout(now);
        foreach (var server in _turn)
            server.HandleTimeout(now);
        Publish();
    }

    /// <summary>This device's addresses have changed: every server is asked at once, what it told last may no longer hold.</summary>
    /// <param name="gone">Addresses that it has no longer.</param>
    /// <param name="now">The present.</param>
    internal void HandleAddressChange(IReadOnlyList<TransportAddress> gone, MonotonicTime now)
    {
        foreach (var server in _stun)
            server.AskAgain(gone, now);
        foreach (var server in _turn)
            server.AskAgain(gone, now);
        HandleTimeout(now);
        Publish();
    }

    /// <summary>Takes a datagram that a server has sent to the media port.</summary>
    /// <param name="datagram">The datagram.</param>
    /// <param name="local">Where it came to.</param>
    /// <param name="remote">Its source.</param>
    /// <param name="now">The present.</param>
    /// <param name="relayed">A viewer's datagram inside it, if its length is not 0.</param>
    /// <returns>False if it is no server's.</returns>
    internal bool TryHandle(ReadOnlySpan<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now, out RelayedDatagram relayed)
    {
        foreach (var server in _turn)
        {
            foreach (var relay in server.Attempts)
            {
                if (relay.Stream is null && relay.Server == remote && relay.Client.HandleMessage(datagram, now, out relayed))
                {
                    relay.LocalAddress = local;
                    Conclude(server, in relayed, now);
                    return true;
                }
            }
        }

        relayed = default;
        foreach (var server in _stun)
        {
            foreach (var client in server.Clients)
            {
                if (client.Server == remote && client.HandleDatagram(datagram, local, now))
                {
                    Publish();
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Names the streams to wait for.</summary>
    internal void Register(SocketPoller poller)
    {
        foreach (var server in _turn)
        {
            foreach (var relay in server.Attempts)
                relay.Stream?.Register(poller);
        }
    }

    /// <summary>Takes what has come by TCP and TLS.</summary>
    /// <param name="poller">Has waited.</param>
    /// <param name="now">The present.</param>
    /// <param name="dispatch">Takes viewers' datagrams.</param>
    /// <returns>True if a stream that was full has room again.</returns>
    internal bool Receive(SocketPoller poller, MonotonicTime now, Func<Span<byte>, NetworkPath, bool> dispatch)
    {
        var hasRoom = false;
        foreach (var server in _turn)
        {
            var hasAnswers = false;
            foreach (var relay in server.Attempts)
            {
                if (relay.Stream is not { } stream)
                    continue;
                var wasFull = stream.IsFull;
                var mayHaveMessages = stream.Advance(poller);
                hasRoom |= wasFull && !stream.IsFull;
                for (var turn = 0; mayHaveMessages && stream.TryReceive(turn); turn++)
                {
                    while (stream.TryTake(out var message))
                        hasAnswers |= !Take(relay, message, now, dispatch);
                }

                hasAnswers |= stream.Failure is not null;
            }

            if (hasAnswers)
            {
                server.Flush(now);
                server.Review(now);
                Publish();
            }
        }

        return hasRoom;
    }

    /// <summary>Viewers whose media leaves from this address would have it dropped now.</summary>
    internal bool IsFull(TransportAddress local)
    {
        foreach (var server in _turn)
        {
            if (server.Active is { Stream: { IsFull: true } } relay && relay.Relays(local))
                return true;
        }

        return false;
    }

    /// <summary>Hands what waits for streams to the kernel.</summary>
    /// <returns>True if a stream that was full has room again.</returns>
    internal bool Flush(MonotonicTime now)
    {
        var hasRoom = false;
        foreach (var server in _turn)
        {
            var wasFull = server.Active?.Stream?.IsFull == true;
            server.Flush(now);
            hasRoom |= wasFull && server.Active?.Stream?.IsFull == false;
        }

        return hasRoom;
    }

    /// <summary>The next request for a server by UDP.</summary>
    internal bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        foreach (var server in _turn)
        {
            if (server.TryDequeueTransmit(buffer, now, out transmit))
                return true;
        }

        foreach (var server in _stun)
        {
            foreach (var client in server.Clients)
            {
                if (client.TryDequeueTransmit(buffer, out transmit))
                    return true;
            }
        }

        transmit = default;
        return false;
    }

    /// <summary>Sends a viewer's datagram by a relay if it is to leave from a relayed address.</summary>
    /// <param name="buffer">Begins with the datagram and has room for what TURN puts around it.</param>
    /// <param name="transmit">In: the session's. Out: the server's, if true is returned.</param>
    /// <param name="now">The present.</param>
    /// <returns>False if there is nothing to send from the media port.</returns>
    internal bool TryRelay(Span<byte> buffer, ref Transmit transmit, MonotonicTime now)
    {
        // Host candidates have the media port; a relayed address that has it too is found all the same.
        foreach (var server in _turn)
        {
            if (server.Active is { } relay && relay.Relays(transmit.Local))
            {
                var dropped = relay.Client.DatagramsDropped;
                var length = relay.Client.Wrap(buffer, transmit.Length, transmit.Remote, now);
                Volatile.Write(ref _datagramsDropped, _datagramsDropped + relay.Client.DatagramsDropped - dropped);
                transmit = new Transmit(length, default, relay.Server);
                if (length == 0)
                    return false;
                if (relay.Stream is { } stream && !stream.TrySend(buffer[..length]))
                {
                    Volatile.Write(ref _datagramsDropped, _datagramsDropped + 1);
                    return false;
                }

                Volatile.Write(ref _datagramsSent, _datagramsSent + 1);
                return relay.Stream is null;
            }
        }

        if (transmit.Local.IsNone || transmit.Local.Port == _mediaPort)
            return true;
        Volatile.Write(ref _datagramsDropped, _datagramsDropped + 1); // the allocation is lost
        return false;
    }

    /// <summary>Gives the allocations back; drain once more.</summary>
    internal void Close()
    {
        foreach (var server in _turn)
            server.Close();
    }

    /// <returns>False for an answer of the server, which may change the gathering.</returns>
    private bool Take(TurnRelay relay, Span<byte> message, MonotonicTime now, Func<Span<byte>, NetworkPath, bool> dispatch)
    {
        if (!relay.Client.HandleMessage(message, now, out var relayed) || relayed.Length == 0)
            return false;
        Volatile.Write(ref _datagramsReceived, _datagramsReceived + 1);
        dispatch(message.Slice(relayed.Offset, relayed.Length), new NetworkPath(relayed.Relayed, relayed.Peer));
        return true;
    }

    private void Conclude(TurnServer server, in RelayedDatagram relayed, MonotonicTime now)
    {
        if (relayed.Length > 0)
        {
            Volatile.Write(ref _datagramsReceived, _datagramsReceived + 1);
            return;
        }

        server.Review(now);
        Publish();
    }

    /// <summary>Makes what has changed visible to other threads; only what servers answer and the clock lead here, never a viewer's datagram.</summary>
    private void Publish()
    {
        _gathering = Collect();
        NoteSessionRelays();
        foreach (var server in _stun)
        {
            var url = server.Url.ToString();
            if (server.Failure is { } failure && _loggedFailures.Add(url))
                TransportLog.NoMappedAddress(_logger, url, failure);
            else if (server.Clients.Any(client => !client.MappedAddress.IsNone))
                _loggedFailures.Remove(url);
        }
    }

    private Gathering Collect()
    {
        var addresses = new List<GatheredAddress>();
        var status = new List<IceServerStatus>();
        foreach (var server in _stun)
        {
            foreach (var client in server.Clients.Where(client => !client.MappedAddress.IsNone))
                addresses.Add(new GatheredAddress(IceCandidateType.ServerReflexive, client.MappedAddress, client.LocalAddress, client.Server));
            var mapped = server.Clients.Select(client => client.MappedAddress).Where(address => !address.IsNone).ToList();
            status.Add(new IceServerStatus(
                server.Url.ToString(), mapped.Count > 0 ? IceServerState.Ready : server.Failure is null ? IceServerState.Trying : IceServerState.Failed,
                mapped, [], server.Failure is { } failure ? $"The server {failure}." : null));
        }

        status.AddRange(_viewersOnly.Select(url => new IceServerStatus(
            url.ToString(), IceServerState.ViewersOnly, [], [], "A mapped address of TCP is of no use to the media port, which is UDP.")));
        foreach (var server in _turn.Where(server => server.Owner is null))
        {
            status.AddRange(server.GetStatus());
            if (server.Active is not { Client: var client } relay)
                continue;
            if (relay.Stream is null && !client.MappedAddress.IsNone)
                addresses.Add(new GatheredAddress(IceCandidateType.ServerReflexive, client.MappedAddress, relay.LocalAddress, relay.Server));
            foreach (var relayed in ServerCandidates.Known(client.RelayedIPv4, client.RelayedIPv6))
                addresses.Add(new GatheredAddress(IceCandidateType.Relayed, relayed, default, relay.Server));
        }

        return new Gathering(addresses, status);
    }

    private sealed record Gathering(IReadOnlyList<GatheredAddress> Addresses, IReadOnlyList<IceServerStatus> Status);
}
