using System.Diagnostics.CodeAnalysis;

namespace Agent.Rtc.Turn;

/// <content>Whom the server lets in, and by which channels.</content>
public sealed partial class TurnClient
{
    /// <summary>Lets a host in before anything was sent to it, until it is not wanted any more; one that the server refuses stays outside.</summary>
    /// <param name="host">Its port means nothing.</param>
    /// <param name="isWanted">Whether it is, from now on.</param>
    /// <param name="now">The present.</param>
    public void SetWanted(TransportAddress host, bool isWanted, MonotonicTime now)
    {
        host = host.WithPort(0);
        var isKnown = _permissions.ContainsKey(host);
        if (State != TurnState.Allocated || RelayedFor(host).IsNone || (!isKnown && (!isWanted || _permissions.Count >= TurnLimits.MaximumPeers)))
        {
            return;
        }

        var permission = GetPermission(host, now);
        permission.IsWanted = isWanted;
        if (isWanted && now >= permission.GrantedUntil && now >= permission.RefusedUntil)
        {
            Ask(permission);
        }
    }

    private TransportAddress RelayedFor(TransportAddress peer) => peer.IsIPv4 ? RelayedIPv4 : RelayedIPv6;

    private bool TryGetPeer(TransportAddress address, MonotonicTime now, [NotNullWhen(true)] out TurnPeer? peer)
    {
        peer = _lastPeer;
        if (peer is not null && peer.Address == address)
        {
            return true;
        }

        if (!_peers.TryGetValue(address, out peer))
        {
            if (_peers.Count >= TurnLimits.MaximumPeers || RelayedFor(address).IsNone)
            {
                return false;
            }

            peer = new TurnPeer(address, GetPermission(address.WithPort(0), now));
            _peers.Add(address, peer);
        }

        _lastPeer = peer;
        return true;
    }

    private TurnPermission GetPermission(TransportAddress host, MonotonicTime now)
    {
        if (!_permissions.TryGetValue(host, out var permission))
        {
            permission = new TurnPermission(host);
            _permissions.Add(host, permission);
            _maintainAt = MonotonicTime.Min(_maintainAt, now + MaintenanceInterval);
        }

        return permission;
    }

    private void AwaitPermission(TurnPeer peer, ReadOnlySpan<byte> datagram, MonotonicTime now)
    {
        var permission = peer.Permission;
        if (now < permission.RefusedUntil)
        {
            DatagramsDropped++;
            return;
        }

        DatagramsDropped += peer.Held is null ? 0 : 1;
        peer.Held = datagram.ToArray();
        Ask(permission);
    }

    private void Ask(TurnPermission permission)
    {
        if (!permission.IsPending)
        {
            permission.IsPending = true;
            Start(TurnFormat.CreatePermission).Permission = permission;
        }
    }

    /// <summary>Asks the server for a channel, a new one or the one that the peer has.</summary>
    private void Bind(TurnPeer peer, MonotonicTime now)
    {
        if (peer.Channel == 0)
        {
            var index = _channels.IndexOf(null);
            if (index < 0 && _channels.Count > TurnFormat.LastChannel - TurnFormat.FirstChannel)
            {
                peer.NoBindingUntil = now + TurnLimits.RefusalTime;
                return;
            }

            if (index < 0)
            {
                index = _channels.Count;
                _channels.Add(null);
            }

            _channels[index] = peer;
            peer.Channel = (ushort)(TurnFormat.FirstChannel + index);
        }

        peer.IsBinding = true;
        Start(TurnFormat.ChannelBind).Peer = peer;
    }

    /// <summary>Renews what is in use and forgets what is not.</summary>
    private void Maintain(MonotonicTime now)
    {
        foreach (var permission in _permissions.Values)
        {
            var isInUse = permission.IsWanted || now - permission.LastUsedAt < TurnLimits.PeerIdleTime;
            if (isInUse && permission.GrantedUntil > MonotonicTime.Zero && now >= permission.GrantedUntil - TurnLimits.RenewalMargin && now >= permission.RefusedUntil)
            {
                Ask(permission);
            }
        }

        foreach (var peer in _peers.Values)
        {
            var isIdle = now - peer.LastUsedAt >= TurnLimits.PeerIdleTime;
            if (peer.Channel != 0 && !peer.IsBinding && !isIdle && now >= peer.BoundUntil - TurnLimits.RenewalMargin && now >= peer.NoBindingUntil)
            {
                Bind(peer, now);
            }
            else if (isIdle && !peer.IsBinding && !peer.Permission.IsPending && (peer.Channel == 0 || now >= peer.BoundUntil + TurnLimits.ChannelRest))
            {
                Forget(peer);
            }
        }

        foreach (var (address, permission) in _permissions)
        {
            if (!permission.IsPending && !permission.IsWanted && now >= permission.GrantedUntil && now >= permission.RefusedUntil && now - permission.LastUsedAt >= TurnLimits.PeerIdleTime
                && !_peers.Values.Any(peer => peer.Permission == permission))
            {
                _permissions.Remove(address);
            }
        }

        _maintainAt = _permissions.Count > 0 ? now + MaintenanceInterval : MonotonicTime.Never;
    }

    private void Forget(TurnPeer peer)
    {
        _peers.Remove(peer.Address);
        _lastPeer = null;
        if (peer.Channel != 0)
        {
            _channels[peer.Channel - TurnFormat.FirstChannel] = null;
        }
    }
}
