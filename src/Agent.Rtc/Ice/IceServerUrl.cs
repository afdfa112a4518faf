using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Agent.Rtc.Ice;

/// <summary>What carries STUN messages to a server (RFC 8489 §6.2).</summary>
public enum IceServerTransport
{
    Udp,
    Tcp,
    Tls,
    Dtls,
}

/// <summary>A STUN or TURN server by its URI: <c>stun:</c>, <c>stuns:</c> (RFC 7064 §3.1), <c>turn:</c>, <c>turns:</c> (RFC 7065 §3.1).</summary>
public sealed class IceServerUrl
{
    private const ushort DefaultPort = 3478; // RFC 7064 §3.2, RFC 7065 §3.2
    private const ushort DefaultTlsPort = 5349; // the same
    private const string TransportQuery = "?transport=";

    private readonly string _text;

    private IceServerUrl(string text, string host, ushort port, bool isTurn, IceServerTransport transport)
    {
        _text = text;
        Host = host;
        Port = port;
        IsTurn = isTurn;
        Transport = transport;
    }

    /// <summary>Name or address, IPv6 without brackets.</summary>
    public string Host { get; }

    /// <summary>As written, or the scheme's own.</summary>
    public ushort Port { get; }

    /// <summary><c>turn:</c> or <c>turns:</c>.</summary>
    public bool IsTurn { get; }

    /// <summary>How to speak to it.</summary>
    public IceServerTransport Transport { get; }

    /// <summary>Reads a URI; the scheme in lower case, as browsers want it.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out IceServerUrl? url)
    {
        url = null;
        var colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (text is null || colon < 0 || text[..colon] is not ("stun" or "stuns" or "turn" or "turns"))
        {
            return false;
        }

        var scheme = text[..colon];
        var (isTurn, isTls) = (scheme.StartsWith("turn", StringComparison.Ordinal), scheme.EndsWith('s'));
        var rest = text[(colon + 1)..];
        var isStream = isTls;
        if (rest.IndexOf('?', StringComparison.Ordinal) is var query and >= 0)
        {
            var transport = rest[query..];
            if (!isTurn || transport is not (TransportQuery + "udp" or TransportQuery + "tcp"))
            {
                return false;
            }

            isStream = transport.EndsWith("tcp", StringComparison.Ordinal);
            rest = rest[..query];
        }

        var port = isTls ? DefaultTlsPort : DefaultPort;
        if (!TrySplit(rest, out var host, ref port))
        {
            return false;
        }

        var kind = (isTls, isStream) switch
        {
            (false, false) => IceServerTransport.Udp,
            (false, true) => IceServerTransport.Tcp,
            (true, true) => IceServerTransport.Tls,
            (true, false) => IceServerTransport.Dtls,
        };
        url = new IceServerUrl(text, host, port, isTurn, kind);
        return true;
    }

    /// <summary>As written.</summary>
    public override string ToString() => _text;

    private static bool TrySplit(string authority, out string host, ref ushort port)
    {
        var end = authority.StartsWith('[') ? authority.IndexOf(']', StringComparison.Ordinal) + 1 : authority.IndexOf(':', StringComparison.Ordinal);
        end = end < 0 ? authority.Length : end;
        host = authority[..end];
        var tail = authority[end..];
        if (tail.Length > 0
            && (tail[0] != ':' || !ushort.TryParse(tail.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port == 0))
        {
            return false;
        }

        if (!host.StartsWith('['))
        {
            return Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4;
        }

        host = host[1..^1];
        return IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }
}
