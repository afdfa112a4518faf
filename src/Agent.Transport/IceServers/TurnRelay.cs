using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Turn;

namespace Agent.Transport;

/// <summary>An allocation on a TURN server, or the attempt to get one. The loop owns it.</summary>
internal sealed class TurnRelay(IceServerUrl url, TransportAddress server, TurnClient client, MonotonicTime startedAt)
{
    internal IceServerUrl Url => url;

    internal TransportAddress Server => server;

    internal TurnClient Client => client;

    internal MonotonicTime StartedAt => startedAt;

    /// <summary>Its messages are datagrams of the media port.</summary>
    internal bool IsUdp => url.Transport == IceServerTransport.Udp;

    /// <summary>The local address that the server answers to.</summary>
    internal TransportAddress LocalAddress { get; set; }

    internal bool Relays(TransportAddress address) => address == client.RelayedIPv4 || address == client.RelayedIPv6;
}
