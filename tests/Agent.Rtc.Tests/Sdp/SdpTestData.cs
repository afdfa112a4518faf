using System.Runtime.CompilerServices;
using System.Text;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Rtc.Tests.Sdp;

internal static class SdpTestData
{
    public const string ConstrainedBaseline = "42c028";

    public static SdpAnswerOptions Options { get; } = new(
        new IceCredentials("agnt", "agentPasswordOf24charact"),
        new DtlsFingerprint("sha-256", Enumerable.Range(0, 32).Select(i => (byte)(i * 8)).ToArray()),
        [
            Host("192.0.2.10", 3478, 2130706431, "1"),
            Host("2001:db8::10", 3478, 2130706175, "2"),
        ],
        ConstrainedBaseline, 0x11223344, 0x55667788, "cname0123456789a", "main");

    public static byte[] Read(string name, [CallerFilePath] string path = "") =>
        File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(path)!, "..", "Vectors", "Sdp", name));

    public static string ReadText(string name) => Encoding.UTF8.GetString(Read(name));

    public static IceCandidate Host(string address, ushort port, uint priority, string foundation)
    {
        Assert.True(TransportAddress.TryParse(address, port, out var parsed));
        return new IceCandidate(IceCandidateType.Host, parsed, parsed, priority, foundation);
    }

    public static NegotiatedSession Answer(string offer, SdpAnswerOptions? options = null)
    {
        var answered = SdpNegotiation.TryAnswer(Encoding.UTF8.GetBytes(offer), options ?? Options, out var session, out var error);
        Assert.True(answered, error?.Message);
        Assert.Null(error);
        return session!;
    }

    public static SdpError Refuse(string offer, SdpAnswerOptions? options = null)
    {
        Assert.False(SdpNegotiation.TryAnswer(Encoding.UTF8.GetBytes(offer), options ?? Options, out var session, out var error));
        Assert.Null(session);
        return error!;
    }

    public static string[] Lines(string sdp)
    {
        Assert.EndsWith("\r\n", sdp);
        return sdp.Split("\r\n")[..^1];
    }
}
