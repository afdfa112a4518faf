using System.Diagnostics;
using System.Text;
using Agent.Rtc.Sdp;
using static Agent.Rtc.Tests.Sdp.SdpTestData;

namespace Agent.Rtc.Tests.Sdp;

public sealed class HostileSdpTests
{
    private const int Seed = 4566;
    private const int Mutations = 3000;

    /// <summary>Generous for two busy cores; a quadratic parser needs minutes for these inputs.</summary>
    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(5);

    public static TheoryData<string> Captures => ["chromium-offer.sdp", "firefox-offer-default.sdp", "firefox-offer-h264prefs.sdp", "safari-like-offer.sdp"];

    [Theory]
    [MemberData(nameof(Captures))]
    public void Every_truncation_is_answered_or_refused_with_a_message(string name)
    {
        var offer = Read(name);
        for (var length = 0; length < offer.Length; length++)
        {
            Check(offer.AsSpan(0, length));
        }
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void Every_mutation_is_answered_or_refused_with_a_message(string name)
    {
        var offer = Read(name);
        var random = new Random(Seed);
        for (var i = 0; i < Mutations; i++)
        {
            var mutated = (byte[])offer.Clone();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            // Moves a slice, so that lines end up in other sections and joined to others.
            var length = random.Next(mutated.Length / 4);
            mutated.AsSpan(random.Next(mutated.Length - length), length).CopyTo(mutated.AsSpan(random.Next(mutated.Length - length)));
            Check(mutated);
        }
    }

    [Theory]
    [InlineData("a=candidate:1 1 udp 1 192.0.2.1 61764 typ host generation 0\r\n")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n")]
    public void Fragments_survive_truncation_and_mutation(string text)
    {
        var random = new Random(Seed);
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var length = 0; length < bytes.Length; length++)
        {
            CheckFragment(bytes.AsSpan(0, length));
            for (var i = 0; i < 20; i++)
            {
                var mutated = (byte[])bytes.Clone();
                mutated[length] = (byte)random.Next(256);
                mutated[random.Next(bytes.Length)] = (byte)random.Next(256);
                CheckFragment(mutated);
            }
        }
    }

    [Theory]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF", " 96", "\r\na=rtpmap:96 H264/90000")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 96", "\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f", "")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=fmtp:96 ", "a=1;", "")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 96", "\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host", "")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 96", "\r\na=rtcp-fb:96 nack", "")]
    [InlineData("a=group:BUNDLE", " 0", "\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=bundle-only\r\na=mid:1")]
    [InlineData("m=video 9 UDP/TLS/RTP/SAVPF 96", "\r\nm=video 9 UDP/TLS/RTP/SAVPF 96", "")]
    [InlineData("", "a=b\n", "")]
    public void The_largest_input_of_each_kind_takes_no_noticeable_time(string head, string repeated, string tail)
    {
        var text = new StringBuilder("v=0\r\n").Append(head);
        while (text.Length + repeated.Length + tail.Length < SdpParser.MaxBytes)
        {
            text.Append(repeated);
        }

        var clock = Stopwatch.StartNew();
        Check(Encoding.UTF8.GetBytes(text.Append(tail).ToString()));
        Assert.True(clock.Elapsed < s_budget, $"took {clock.Elapsed}");
    }

    [Fact]
    public void Limits_are_named()
    {
        Assert.Equal("SDP line 1: the text has 65537 bytes; send at most 65536.", Refuse(new string('v', SdpParser.MaxBytes + 1)).Message);
        Assert.Equal("SDP line 4097: too many lines; send at most 4096.", Refuse("v=0\n" + string.Concat(Enumerable.Repeat("s=-\n", 5000))).Message);
        Assert.Equal(
            "SDP line 66: too many m= lines; send at most 64.", Refuse("v=0\n" + string.Concat(Enumerable.Repeat("m=a 0 b c\n", 65))).Message);
        Assert.Equal("SDP line 1: the text is empty; send the browser's offer.", Refuse("").Message);
        Assert.Equal(
            "The offer has no m= line; add a recvonly video transceiver before createOffer.", Refuse("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n").Message);
    }

    private static void Check(ReadOnlySpan<byte> offer)
    {
        var answered = SdpNegotiation.TryAnswer(offer, Options, out var session, out var error);

        Assert.Equal(answered, session is not null);
        Assert.Equal(answered, error is null);
        if (session is not null)
        {
            // Whatever was echoed, the answer is well-formed: nothing of the offer breaks out of its line.
            Assert.True(SdpParser.TryParse(Encoding.UTF8.GetBytes(session.LocalSdp), isFragment: false, out var answer, out _));
            Assert.Single(answer.Sections, section => section.Port != 0);
        }
        else
        {
            Assert.NotEmpty(error!.Message);
        }
    }

    private static void CheckFragment(ReadOnlySpan<byte> fragment)
    {
        var parsed = SdpNegotiation.TryParseTrickleFragment(fragment, out var result, out var error);
        Assert.Equal(parsed, result is not null);
        Assert.Equal(parsed, error is null);
    }
}
