using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>The candidate attribute (RFC 8839 §5.1, RFC 6544 §4.5).</summary>
internal static class CandidateSyntax
{
    /// <summary>Longer than any candidate with a 255-octet host name and its extensions.</summary>
    public const int MaxLineLength = 1024;

    private const int MaxFoundationLength = 32;

    /// <summary>RFC 1035 §2.3.4.</summary>
    private const int MaxHostNameLength = 255;

    /// <summary>RFC 8445 §5.1.2: 1 to 2^31 - 1.</summary>
    private const uint MaxPriority = int.MaxValue;

    /// <summary>Stands for a related address that is not told (RFC 8839 §5.1).</summary>
    private const int HiddenRelatedPort = 9;

    private static readonly SearchValues<char> s_hostName =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.");

    /// <param name="value">What follows "candidate:".</param>
    /// <param name="candidate">The candidate, if it is UDP or active TCP, component 1 and well-formed.</param>
    public static bool TryParse(ReadOnlySpan<char> value, [NotNullWhen(true)] out SignaledCandidate? candidate)
    {
        candidate = null;
        var rest = value;
        var foundation = SdpSyntax.NextWord(ref rest);
        var component = SdpSyntax.NextWord(ref rest);
        var transport = SdpSyntax.NextWord(ref rest);
        var priorityText = SdpSyntax.NextWord(ref rest);
        var host = SdpSyntax.NextWord(ref rest);
        var portText = SdpSyntax.NextWord(ref rest);
        if (!SdpSyntax.IsIceChars(foundation, 1, MaxFoundationLength)
            || component is not "1"
            || !TryParseProtocol(transport, out var protocol)
            || !SdpSyntax.TryParseNumber(priorityText, MaxPriority, out var priority) || priority == 0
            || !IsUsableHost(host)
            || !SdpSyntax.TryParseNumber(portText, ushort.MaxValue, out var port) || port == 0
            || SdpSyntax.NextWord(ref rest) is not "typ")
        {
            return false;
        }

        IceCandidateType? type = SdpSyntax.NextWord(ref rest) switch
        {
            "host" => IceCandidateType.Host,
            "srflx" => IceCandidateType.ServerReflexive,
            "prflx" => IceCandidateType.PeerReflexive,
            "relay" => IceCandidateType.Relayed,
            _ => null,
        };
        if (type is null)
        {
            return false;
        }

        // raddr, rport, generation, network-cost and other extensions serve diagnostics only (RFC 8839 §5.1). Of TCP, this side's candidates
        // are passive, and only active ones pair with them (RFC 6544 §6.2).
        if (protocol == TransportProtocol.Tcp && !IsActive(rest))
        {
            return false;
        }

        candidate = new SignaledCandidate(type.Value, host.ToString(), (ushort)port, priority, foundation.ToString(), protocol);
        return true;
    }

    /// <returns>"candidate:…".</returns>
    public static string Format(IceCandidate candidate)
    {
        var type = candidate.Type switch
        {
            IceCandidateType.Host => "host",
            IceCandidateType.ServerReflexive => "srflx",
            IceCandidateType.PeerReflexive => "prflx",
            _ => "relay",
        };
        var (protocol, tcpType) = candidate.Address.IsTcp ? ("tcp", " tcptype passive") : ("udp", "");
        var text = $"candidate:{candidate.Foundation} 1 {protocol} {candidate.Priority} {FormatAddress(candidate.Address)} {candidate.Address.Port} typ {type}";
        if (candidate.Type == IceCandidateType.Host)
        {
            return text + tcpType;
        }

        // A relayed candidate is its own base (RFC 8445 §5.1.1.2); its mapped address is not known here.
        return (candidate.Base == candidate.Address || candidate.Base.IsNone
            ? $"{text} raddr {(candidate.Address.IsIPv4 ? "0.0.0.0" : "::")} rport {HiddenRelatedPort}"
            : $"{text} raddr {FormatAddress(candidate.Base)} rport {candidate.Base.Port}") + tcpType;
    }

    /// <summary>The literal address without a scope: an interface index means nothing to the peer.</summary>
    public static string FormatAddress(TransportAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        return new IPAddress(bytes[..address.WriteAddress(bytes)]).ToString();
    }

    private static bool TryParseProtocol(ReadOnlySpan<char> transport, out TransportProtocol protocol)
    {
        protocol = transport.Equals("tcp", StringComparison.OrdinalIgnoreCase) ? TransportProtocol.Tcp : TransportProtocol.Udp;
        return protocol == TransportProtocol.Tcp || transport.Equals("udp", StringComparison.OrdinalIgnoreCase);
    }

    /// <param name="extensions">What follows the type: pairs of a name and a value.</param>
    private static bool IsActive(ReadOnlySpan<char> extensions)
    {
        while (!extensions.IsEmpty)
        {
            var name = SdpSyntax.NextWord(ref extensions);
            var value = SdpSyntax.NextWord(ref extensions);
            if (name is "tcptype")
            {
                return value is "active";
            }
        }

        return false;
    }

    private static bool IsUsableHost(ReadOnlySpan<char> host)
    {
        if (host.Length is 0 or > MaxHostNameLength)
        {
            return false;
        }

        if (host.EndsWith(".local", StringComparison.OrdinalIgnoreCase))
        {
            return host.Length > ".local".Length && !host.ContainsAnyExcept(s_hostName);
        }

        // IPAddress also reads "1", "0x7f.1" and octal parts, which the grammar of RFC 8866 §9 does not have.
        return !host.ContainsAny('%', '[') && IPAddress.TryParse(host, out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || host.SequenceEqual(address.ToString()));
    }
}
