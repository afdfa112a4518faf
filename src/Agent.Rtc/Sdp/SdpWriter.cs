using System.Globalization;
using System.Text;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Lines of SDP, with CRLF ends, and those groups of them that offers and answers share.</summary>
internal sealed class SdpWriter
{
    /// <summary>The discard port, with the address 0.0.0.0: no default candidate (RFC 8840 §4.1.1).</summary>
    private const int DiscardPort = 9;

    private readonly StringBuilder _text = new();

    /// <summary>RFC 8839 §4.2.1.2: of the m= line's protocol, relayed before server-reflexive before host, IPv4 before IPv6: the likeliest to work.</summary>
    public static (string Address, int Port) DefaultCandidate(IReadOnlyList<IceCandidate> candidates)
    {
        var best = candidates.Where(candidate => !candidate.Address.IsTcp).MaxBy(candidate => (candidate.Type, candidate.Address.IsIPv4));
        return best is null
            ? ("IP4 0.0.0.0", DiscardPort)
            : ($"{(best.Address.IsIPv4 ? "IP4" : "IP6")} {CandidateSyntax.FormatAddress(best.Address)}", best.Address.Port);
    }

    public void Line(string line) => _text.Append(line).Append("\r\n");

    /// <summary>The lines that open a description. RFC 8829 §5.2.1 wants a random 63-bit session id; the two random SSRCs make one.</summary>
    public void Session(uint ssrc, uint rtxSsrc)
    {
        Line("v=0");
        Line($"o=- {(((ulong)ssrc << 32) | rtxSsrc) & long.MaxValue} 1 IN IP4 127.0.0.1");
        Line("s=-");
        Line("t=0 0");
    }

    public void Ice(IceCredentials ice)
    {
        Line($"a=ice-ufrag:{ice.Ufrag}");
        Line($"a=ice-pwd:{ice.Password}");
    }

    /// <summary>How this side's end of the transport is known and entered.</summary>
    public void Transport(IceCredentials ice, DtlsFingerprint fingerprint, DtlsRole role)
    {
        Ice(ice);
        Fingerprint(fingerprint);
        Line(role == DtlsRole.Client ? "a=setup:active" : "a=setup:passive");
    }

    /// <summary>All candidates; there will be no others.</summary>
    public void Candidates(IReadOnlyList<IceCandidate> candidates)
    {
        foreach (var candidate in candidates)
        {
            Line($"a={CandidateSyntax.Format(candidate)}");
        }

        Line("a=end-of-candidates");
    }

    /// <summary>RFC 8122 §5: upper-case hex bytes joined by colons.</summary>
    public void Fingerprint(DtlsFingerprint fingerprint)
    {
        var digest = new StringBuilder();
        foreach (var value in fingerprint.Value.Span)
        {
            digest.Append(digest.Length == 0 ? "" : ":").Append(CultureInfo.InvariantCulture, $"{value:X2}");
        }

        Line($"a=fingerprint:{fingerprint.Algorithm} {digest}");
    }

    /// <summary>The SSRCs that this side sends with (RFC 5576 §4).</summary>
    public void Sources(uint ssrc, uint? rtxSsrc, string cname)
    {
        if (rtxSsrc is { } rtx)
        {
            Line($"a=ssrc-group:FID {ssrc} {rtx}");
        }

        Line($"a=ssrc:{ssrc} cname:{cname}");
        if (rtxSsrc is { } other)
        {
            Line($"a=ssrc:{other} cname:{cname}");
        }
    }

    public override string ToString() => _text.ToString();
}
