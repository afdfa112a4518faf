using Agent.Rtc;

namespace Agent.Transport;

/// <summary>What a configured server is to the agent now.</summary>
public enum IceServerState
{
    /// <summary>Its name is being resolved, or it has not answered yet.</summary>
    Trying,
    /// <summary>It tells a mapped address or relays.</summary>
    Ready,
    /// <summary>Another URL of the same entry relays; this one is for when that fails.</summary>
    Spare,
    /// <summary>It does not work; it is tried again, ever more seldom.</summary>
    Failed,
    /// <summary>The agent cannot use it; viewers are told of it.</summary>
    ViewersOnly,
}

/// <summary>A configured server as the status shows it.</summary>
/// <param name="Url">As configured.</param>
/// <param name="State">What it is to the agent now.</param>
/// <param name="MappedAddresses">Where it sees the media port (<c>typ srflx</c>).</param>
/// <param name="RelayedAddresses">Where it relays for the agent (<c>typ relay</c>).</param>
/// <param name="Error">Why it does not work.</param>
public sealed record IceServerStatus(
    string Url, IceServerState State, IReadOnlyList<TransportAddress> MappedAddresses, IReadOnlyList<TransportAddress> RelayedAddresses, string? Error)
{
    /// <summary>Viewers' addresses that this allocation was refused to send to, counted each time: the server's denied-peer-ip and the like.</summary>
    public long PeersRefused { get; init; }
}
