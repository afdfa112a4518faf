using System.Text;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Tests.Ice;

public sealed class IceServerLinkTests
{
    /// <summary>The example of RFC 9725 §4.6, in one header.</summary>
    private const string Example = "<stun:stun.example.net>; rel=\"ice-server\", "
        + "<turn:turn.example.net?transport=udp>; rel=\"ice-server\"; username=\"user\"; credential=\"myPassword\"; credential-type=\"password\", "
        + "<turns:turn.example.net?transport=tcp>; rel=\"ice-server\"; username=\"user\"; credential=\"myPassword\"; credential-type=\"password\"";

    [Fact]
    public void The_example_of_the_rfc_names_three_servers() => Assert.Equal(
        ["stun:stun.example.net - -", "turn:turn.example.net?transport=udp user myPassword", "turns:turn.example.net?transport=tcp user myPassword"], Read(Example)!);

    [Theory]
    [InlineData("<stun:a.example>;REL=ice-server", "stun:a.example - -")]
    [InlineData("\t<stun:a.example> ; rel = \"next ICE-Server\" ;; title", "stun:a.example - -")]
    [InlineData(" , <turn:a.example>;rel=ice-server;username=\"a\\\"b\\\\,;<>\";credential=\"ü\" ,,", "turn:a.example a\"b\\,;<> ü")]
    [InlineData("<turn:a.example>; rel=\"ice-server\"; rel=\"other\"; username=u; username=v; credential=c", "turn:a.example u c")]
    public void Parameters_may_be_written_in_every_way_of_the_grammar(string header, string expected) => Assert.Equal(expected, Assert.Single(Read(header)!));

    [Theory]
    [InlineData("")]
    [InlineData(" , ")]
    [InlineData("<https://a.example/>; rel=\"next\"")]
    [InlineData("<stun:a.example>")]
    [InlineData("<stun:a.example>; rel=\"not-an-ice-server\"")]
    [InlineData("<https://a.example/>; rel=\"ice-server\"")]
    [InlineData("<turn:a.example>; rel=\"ice-server\"; username=u; credential=c; credential-type=\"oauth\"")]
    public void Other_links_are_passed_over(string header) => Assert.Empty(Read(header)!);

    [Theory]
    [InlineData("stun:a.example; rel=\"ice-server\"")]
    [InlineData("<stun:a.example")]
    [InlineData("<stun:a.example> rel=\"ice-server\"")]
    [InlineData("<stun:a.example>; rel=\"ice-server")]
    [InlineData("<stun:a.example>; rel=\"ice-server\\")]
    [InlineData("<stun:a.example>; rel=\"ice-server\"x")]
    public void What_is_no_link_header_is_refused(string header) => Assert.Null(Read(header));

    [Fact]
    public void Servers_and_texts_are_bounded()
    {
        Assert.Equal(IceServerLink.MaximumLinks, Read(string.Join(',', Enumerable.Repeat("<stun:a.example>;rel=ice-server", 100)))!.Length);
        Assert.Empty(Read($"<turn:a.example>; rel=\"ice-server\"; username=\"{new string('u', 509)}\"; credential=\"c\"")!);
    }

    [Fact]
    public void Cut_anywhere_it_is_refused_or_names_no_server_that_the_whole_does_not()
    {
        var whole = Read(Example)!;
        var bytes = Encoding.UTF8.GetBytes(Example);
        for (var length = 0; length < bytes.Length; length++)
        {
            var urls = (Read(bytes.AsSpan(0, length)) ?? []).Select(one => one.Split(' ')[0]);
            Assert.Subset(whole.Select(one => one.Split(' ')[0]).ToHashSet(), urls.ToHashSet());
        }
    }

    private static string[]? Read(string header) => Read(Encoding.UTF8.GetBytes(header));

    private static string[]? Read(ReadOnlySpan<byte> header) => IceServerLink.TryParse(header, out var links)
        ? [.. links.Select(one => $"{one.Url} {one.UserName ?? "-"} {one.Credential ?? "-"}")]
        : null;
}
