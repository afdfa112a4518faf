using System.Net;
using Agent.Rtc.Rtp;

namespace Agent.Transport;

/// <summary>The media socket and its limits.</summary>
public sealed record TransportOptions
{
    /// <summary>The one UDP port for all viewers; 0 lets the kernel choose.</summary>
    public int UdpPort { get; init; } = 8443;

    /// <summary>Also let viewers connect by TCP (RFC 6544), to the same port number: for networks that let no UDP through.</summary>
    public bool Tcp { get; init; } = true;

    /// <summary>Addresses to listen on and offer as host candidates; empty means every up, non-loopback interface (loopback if there is no other).</summary>
    public IReadOnlyList<IPAddress> ListenAddresses { get; init; } = [];

    /// <summary>Addresses that a router maps to the media port, offered besides the host's own; port 0 is the media port's number.</summary>
    public IReadOnlyList<IPEndPoint> PublicAddresses { get; init; } = [];

    /// <summary>Servers for viewers and for the agent itself, STUN (RFC 8489) and TURN (RFC 8656).</summary>
    public IReadOnlyList<IceServerOptions> IceServers { get; init; } = [];

    /// <summary>Whether viewers may open data channels.</summary>
    public bool DataChannels { get; init; } = true;

    /// <summary>Whether sending is paced and cameras' bitrates follow the viewers' links.</summary>
    public bool Adaptation { get; init; } = true;

    /// <summary>
    /// Which of a camera's viewers its stream is for: the one at this place, in percent, among their links from the narrowest to the widest.
    /// </summary>
    public int AdaptationPercentile { get; init; } = 75;

    /// <summary>How long viewers are asked to hold pictures back.</summary>
    public PlayoutDelay PlayoutDelay { get; init; }

    /// <summary>Viewers at most, over all cameras.</summary>
    public int MaximumViewers { get; init; } = 32;
}
