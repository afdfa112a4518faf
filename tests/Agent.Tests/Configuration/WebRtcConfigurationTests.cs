using System.Text;
using Agent.Configuration;

namespace Agent.Tests.Configuration;

public sealed class WebRtcConfigurationTests
{
    private static AgentOptions Read(string webrtc, out string[] problems)
    {
        var options = ConfigurationLoader.Read(
            Encoding.UTF8.GetBytes($$"""{"webrtc": {{webrtc}}}"""), "agent.json", new Dictionary<string, string>(), out var found);
        problems = [.. found.Select(problem => $"{problem.Path}: {problem.Message}")];
        return options;
    }

    [Fact]
    public void Public_addresses_stand_with_and_without_a_port()
    {
        var options = Read("""{"publicAddresses": ["203.0.113.7", "203.0.113.7:9000", "2001:db8::7", "[2001:db8::7]:9000"]}""", out var problems);
        Assert.Empty(problems);
        Assert.Equal(
            [("203.0.113.7", 0), ("203.0.113.7", 9000), ("2001:db8::7", 0), ("2001:db8::7", 9000)],
            options.WebRtc.PublicAddresses.Select(one => (one.Address.ToString(), one.Port)));
    }

    [Theory]
    [InlineData("camera.example.net")]
    [InlineData("203.0.113.7:0")]
    [InlineData("203.0.113.7:70000")]
    [InlineData("203.0.113")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.251:8443")]
    public void What_is_no_public_address_is_refused(string text)
    {
        Read($$"""{"publicAddresses": ["{{text}}"]}""", out var problems);
        Assert.StartsWith($"webrtc.publicAddresses[0]: found \"{text}\"; expected a public address", Assert.Single(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Ice_servers_are_read_with_secrets_from_files()
    {
        var file = Path.Join(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(file, "north\nsecond line");
        try
        {
            var options = Read(
                $$"""
                {"iceServers": [
                  {"urls": ["stun:stun.example.net"]},
                  {"urls": ["turn:turn.example.net?transport=udp", "turns:turn.example.net"], "secretFile": "{{file}}"},
                  {"urls": ["turn:turn.example.net"], "username": "u", "credentialFile": "{{file}}"}]}
                """, out var problems);
            Assert.Empty(problems);
            Assert.Equal(
                [("stun:stun.example.net", null, null, null), ("turn:turn.example.net?transport=udp", null, null, "north"), ("turn:turn.example.net", "u", "north", (string?)null)],
                options.WebRtc.IceServers.Select(one => (one.Urls[0].ToString(), one.UserName, one.Credential, one.Secret)));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("""{}""", ".urls: is missing")]
    [InlineData("""{"urls": ["http://x"]}""", ".urls[0]: found \"http://x\"; expected a URL such as")]
    [InlineData("""{"urls": ["turn:x"]}""", ".urls: turn:x needs username and credential, or secret")]
    [InlineData("""{"urls": ["turn:x"], "username": "u"}""", ": username and credential")]
    [InlineData("""{"urls": ["turn:x"], "credential": "p"}""", ": username and credential")]
    [InlineData("""{"urls": ["turn:x"], "username": "ü", "credential": "p"}""", ".username: found \"ü\"; expected printable ASCII")]
    [InlineData("""{"urls": ["turn:x"], "secret": "s", "secretFile": "/f"}""", ".secretFile: set together with")]
    [InlineData("""{"urls": ["turn:x"], "secretFile": "/nowhere/secret"}""", ".secretFile: cannot be read")]
    public void What_an_ice_server_lacks_is_said(string server, string message)
    {
        Read($$"""{"iceServers": [{{server}}]}""", out var problems);
        Assert.Contains(problems, problem => problem.StartsWith($"webrtc.iceServers[0]{message}", StringComparison.Ordinal));
    }
}
