using System.Diagnostics.CodeAnalysis;
using Agent.Rtc;
using Agent.Rtc.Ice;

namespace Agent.Transport;

/// <content>What single sessions want of servers.</content>
internal sealed partial class IceServerClients
{
    private readonly Dictionary<TransportAddress, int> _guests = []; // viewers' hosts, each with its sessions
    private readonly Queue<(Viewer Owner, IceCandidate Candidate)> _sessionRelays = [];

    /// <summary>Has TURN servers relay for one session, besides those that are for all; their credentials are that session's.</summary>
    internal void Add(IReadOnlyList<IceServerOptions> servers, Viewer owner)
    {
        foreach (var server in servers)
            _turn.Add(_createTurn(server, owner));
    }

    /// <summary>The session has ended. Its servers go later: this may be called while they are gone through.</summary>
    internal void Remove(Viewer owner)
    {
        foreach (var server in _turn)
        {
            if (server.Owner == owner)
                server.Close();
        }
    }

    /// <summary>The next relayed candidate of a session that its own server has given.</summary>
    internal bool TryTakeSessionRelay([NotNullWhen(true)] out Viewer? owner, [NotNullWhen(true)] out IceCandidate? candidate)
    {
        var any = _sessionRelays.TryDequeue(out var next);
        (owner, candidate) = next;
        return any;
    }

    /// <summary>
    /// A session begins whose viewer is at this host: relays let it in before it is known by a candidate, which one behind a symmetric NAT may
    /// never have.
    /// </summary>
    internal void Admit(TransportAddress host, MonotonicTime now)
    {
        var sessions = _guests.GetValueOrDefault(host);
        _guests[host] = sessions + 1;
        if (sessions == 0)
            SetWanted(host, isWanted: true, now);
    }

    /// <summary>The session has ended.</summary>
    internal void Dismiss(TransportAddress host, MonotonicTime now)
    {
        if (!_guests.TryGetValue(host, out var sessions))
            return;
        if (sessions > 1)
        {
            _guests[host] = sessions - 1;
            return;
        }

        _guests.Remove(host);
        SetWanted(host, isWanted: false, now);
    }

    private void SetWanted(TransportAddress host, bool isWanted, MonotonicTime now)
    {
        foreach (var server in _turn)
            server.Active?.Client.SetWanted(host, isWanted, now);
    }

    private void NoteSessionRelays()
    {
        foreach (var server in _turn)
        {
            if (server.Owner is not { } owner || server.TakeNews() is not { Client: var client } relay)
                continue;
            foreach (var address in ServerCandidates.Known(client.RelayedIPv4, client.RelayedIPv6))
                _sessionRelays.Enqueue((owner, IceCandidate.CreateRelayed(address, relay.Server, localPreference: 0)));
        }
    }
}
