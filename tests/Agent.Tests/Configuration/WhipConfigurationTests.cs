using System.Text;
using Agent.Configuration;
using Agent.Whip;

namespace Agent.Tests.Configuration;

public sealed class WhipConfigurationTests
{
    [Fact]
    public void Publishers_are_read_with_the_token_of_their_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "secret\n");
            var options = Read($$"""
                { "whip": {
                    "sfu": { "camera": "main", "url": "https://sfu.example/whip/a?b=c", "bearerTokenFile": "{{file}}" },
                    "other": { "camera": "main", "url": "http://10.0.0.2:8889/a/whip", "bearerToken": "abc", "start": "restore" } } }
                """, out var problems);
            Assert.Empty(problems);
            Assert.Equal(
                [
                    new WhipOptions { Name = "sfu", Camera = "main", Url = new Uri("https://sfu.example/whip/a?b=c"), BearerTokenFile = file, BearerToken = "secret" },
                    new WhipOptions { Name = "other", Camera = "main", Url = new Uri("http://10.0.0.2:8889/a/whip"), BearerToken = "abc", Start = PublishAtStart.Restore },
                ],
                options.Whip);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("""{ "whip": { "Sfu": { "camera": "main", "url": "https://a/b" } } }""", "agent.json:1:13: whip.Sfu: \"Sfu\" cannot be a name; use 1 to 40 lower-case letters, digits and '_'.")]
    [InlineData("""{ "whip": { "sfu": { "camera": "main" } } }""", "agent.json:1:20: whip.sfu.url: is missing; the server's documentation has it, such as \"https://sfu.example/whip/endpoint\".")]
    [InlineData("""{ "whip": { "sfu": { "url": "https://a/b" } } }""", "agent.json:1:20: whip.sfu.camera: is missing; name one of cameras.")]
    [InlineData("""{ "whip": { "sfu": { "camera": "attic", "url": "https://a/b" } } }""", "agent.json:1:32: whip.sfu.camera: found \"attic\"; there is no such camera, only main.")]
    [InlineData("""{ "whip": { "sfu": { "camera": "main", "url": "https://me:word@a/b" } } }""", "agent.json:1:47: whip.sfu.url: found \"https://me:word@a/b\"; expected an http:// or https:// URL without a user name.")]
    [InlineData("""{ "whip": { "sfu": { "camera": "main", "url": "https://a/b", "bearerToken": "a", "bearerTokenFile": "b" } } }""", "agent.json:1:101: whip.sfu.bearerTokenFile: set together with whip.sfu.bearerToken; remove one.")]
    public void Mistakes_are_named(string json, string problem)
    {
        _ = Read(json, out var problems);
        Assert.Equal([problem], problems);
    }

    private static AgentOptions Read(string json, out string[] problems)
    {
        var options = ConfigurationLoader.Read(Encoding.UTF8.GetBytes(json), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }
}
