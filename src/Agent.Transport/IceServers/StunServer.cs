using System.Net;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Stun;

namespace Agent.Transport;

/// <summary>One <c>stun:</c> URL: asks at the first address of each family how it sees the media port. The loop owns it.</summary>
internal sealed class StunServer(IceServerUrl url, BackgroundWork background, IRandomSource random, Func<TransportAddress, bool> canReach)
{
    private readonly List<StunBindingClient> _clients = [];
    private readonly RetryDelay _retry = new(random);
    private MonotonicTime _resolveAt = MonotonicTime.Zero;
    private string? _unresolved;

    internal IceServerUrl Url => url;

    internal List<StunBindingClient> Clients => _clients;

    /// <summary>Why it tells no mapped address, once it has been asked.</summary>
    internal string? Failure => _clients.Exists(client => !client.MappedAddress.IsNone) ? null : _unresolved ?? _clients.Find(client => client.Failure is not null)?.Failure;

    internal MonotonicTime NextTimeout
    {
        get
        {
            var next = _resolveAt;
            foreach (var client in _clients)
                next = MonotonicTime.Min(next, client.NextTimeout);
            return next;
        }
    }

    internal void HandleTimeout(MonotonicTime now)
    {
        if (now >= _resolveAt)
        {
            _resolveAt = MonotonicTime.Never;
            background.Resolve(url.Host, SetAddresses);
        }

        foreach (var client in _clients)
        {
            var failures = client.Failures;
            client.HandleTimeout(now);

            // Its name may lead elsewhere by now.
            if (client.Failures != failures)
                _resolveAt = now;
        }
    }

    /// <summary>This device's addresses have changed, and with them perhaps what names lead to.</summary>
    internal void AskAgain(IReadOnlyList<TransportAddress> gone, MonotonicTime now)
    {
        _retry.Reset();
        _resolveAt = now;
        foreach (var client in _clients)
            client.AskAgain(isMappingLost: gone.Contains(client.LocalAddress), now);
    }

    private void SetAddresses(IPAddress[] addresses, string? error)
    {
        var now = SystemClock.Now;
        _unresolved = error is null ? null : $"is not known: {error}";
        if (error is not null)
        {
            _resolveAt = now + _retry.Next();
            return;
        }

        _retry.Reset();
        var servers = addresses.Select(address => TransportAddress.From(address, url.Port)).Where(canReach)
            .DistinctBy(address => address.IsIPv4).ToList();
        _unresolved = servers.Count == 0 ? TurnServer.OtherFamilyOnly : null;
        _clients.RemoveAll(client => !servers.Contains(client.Server));
        foreach (var server in servers.Where(server => !_clients.Exists(client => client.Server == server)))
            _clients.Add(new StunBindingClient(server, random, now));
    }
}
