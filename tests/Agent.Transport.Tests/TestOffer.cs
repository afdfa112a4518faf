using System.Text;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Transport.Tests;

/// <summary>A recvonly offer as a browser would send it, cut down to what counts.</summary>
internal static class TestOffer
{
    internal static IceCredentials Ice { get; } = new("peer", "peerpasswordpeerpassword");

    internal static DtlsFingerprint Fingerprint { get; } = new("sha-256", new byte[32]);

    internal static byte[] Write(IceCredentials? ice = null, DtlsFingerprint? fingerprint = null, params string[] candidates)
    {
        ice ??= Ice;
        fingerprint ??= Fingerprint;
        var digest = string.Join(':', fingerprint.Value.ToArray().Select(one => one.ToString("X2", null)));
        var lines = new List<string>
        {
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS",
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "c=IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0",
            $"a=ice-ufrag:{ice.Ufrag}", $"a=ice-pwd:{ice.Password}", "a=ice-options:trickle",
            $"a=fingerprint:{fingerprint.Algorithm} {digest}", "a=setup:actpass", "a=mid:0", "a=recvonly", "a=rtcp-mux", "a=rtcp-rsize",
            "a=rtpmap:96 H264/90000", "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
            "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli", "a=rtcp-fb:96 ccm fir", "a=rtpmap:97 rtx/90000", "a=fmtp:97 apt=96",
        };
        lines.AddRange(candidates.Select(one => $"a={one}"));
        return Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\r\n")));
    }
}
