namespace Agent.Rtc.Tests.Network;

/// <summary>What a NAT gives the same inside port a mapping for (RFC 4787 §4.1).</summary>
public enum NatMapping
{
    EndpointIndependent,
    /// <summary>A new outside port for each destination: "symmetric" in RFC 3489's words.</summary>
    AddressAndPortDependent,
}

/// <summary>Whom a NAT lets in at a mapping (RFC 4787 §5).</summary>
public enum NatFiltering
{
    EndpointIndependent,
    AddressDependent,
    AddressAndPortDependent,
}

/// <summary>A router between a private network and the outside of a <see cref="SimulatedNetwork"/>; it does not hairpin.</summary>
/// <param name="outside">Its public address; the port is of no meaning.</param>
/// <param name="mapping">RFC 4787 §4.1.</param>
/// <param name="filtering">RFC 4787 §5.</param>
/// <param name="inside">The hosts' addresses behind it; ports are of no meaning.</param>
internal sealed class SimulatedNat(string outside, NatMapping mapping, NatFiltering filtering, params string[] inside)
{
    private const ushort FirstPort = 50_000;

    private readonly TransportAddress _outside = Parse(outside);
    private readonly TransportAddress[] _inside = [.. inside.Select(Parse)];
    private readonly List<Mapping> _mappings = [];
    private readonly Dictionary<ushort, TransportAddress> _forwarded = [];
    private ushort _nextPort = FirstPort;

    /// <summary>RFC 4787 §4.3 wants two minutes at least; many home routers have 30 s.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromSeconds(30);

    public bool IsInside(TransportAddress address) => Array.IndexOf(_inside, address.WithPort(0)) >= 0;

    public bool IsOutside(TransportAddress address) => address.WithPort(0) == _outside;

    /// <summary>A configured port mapping: anybody is let in, and the way out takes the same port.</summary>
    public void Forward(ushort port, TransportAddress to) => _forwarded.Add(port, to);

    /// <summary>As if it had been switched off and on: every mapping is gone, and new ones get other ports.</summary>
    public void Restart() => _mappings.Clear();

    public TransportAddress TranslateOut(TransportAddress from, TransportAddress to, MonotonicTime now)
    {
        foreach (var (port, target) in _forwarded)
        {
            if (target == from)
            {
                return _outside.WithPort(port);
            }
        }

        var found = _mappings.Find(one => one.Inside == from && now < one.ExpiresAt
            && (mapping == NatMapping.EndpointIndependent || one.Contacted.Contains(to)));
        if (found is null)
        {
            found = new Mapping(from, _nextPort++);
            _mappings.Add(found);
        }

        found.Contacted.Add(to);
        found.ExpiresAt = now + Lifetime;
        return _outside.WithPort(found.Port);
    }

    /// <returns><c>default</c> if it is not let in.</returns>
    public TransportAddress TranslateIn(TransportAddress to, TransportAddress from, MonotonicTime now)
    {
        if (_forwarded.TryGetValue(to.Port, out var target))
        {
            return target;
        }

        var found = _mappings.Find(one => one.Port == to.Port && now < one.ExpiresAt && filtering switch
        {
            NatFiltering.EndpointIndependent => true,
            NatFiltering.AddressDependent => one.Contacted.Any(known => known.WithPort(0) == from.WithPort(0)),
            _ => one.Contacted.Contains(from),
        });
        return found?.Inside ?? default;
    }

    private static TransportAddress Parse(string address)
    {
        Assert.True(TransportAddress.TryParse(address, 0, out var parsed));
        return parsed;
    }

    private sealed record Mapping(TransportAddress Inside, ushort Port)
    {
        public HashSet<TransportAddress> Contacted { get; } = [];

        public MonotonicTime ExpiresAt { get; set; }
    }
}
