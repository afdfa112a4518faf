using System.Net;
using System.Text;
using Agent.Configuration;
using Agent.Devices;
using Microsoft.Extensions.Logging;

namespace Agent.Tests.Configuration;

public sealed class ConfigurationLoaderTests
{
    private static AgentOptions Read(string json, out string[] problems, params (string Name, string Value)[] environment)
    {
        var options = ConfigurationLoader.Read(
            Encoding.UTF8.GetBytes(json), "agent.json", environment.ToDictionary(v => v.Name, v => v.Value), out var found);
        problems = [.. found.Select(p => p.ToString())];
        return options;
    }

    private static AgentOptions ReadGood(string json, params (string Name, string Value)[] environment)
    {
        var options = Read(json, out var problems, environment);
        Assert.Empty(problems);
        return options;
    }

    [Fact]
    public void Nothing_configured_is_one_test_camera_named_main_on_loopback_without_a_broker()
    {
        var options = ConfigurationLoader.Load(null, new Dictionary<string, string> { ["PATH"] = "/bin" }, out var problems);
        Assert.Empty(problems);
        var camera = Assert.Single(options.Cameras);
        Assert.Equal(new CameraOptions { Name = "main" }, camera);
        Assert.Equal(VideoSourceKind.Test, camera.Source.Kind);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8080), options.Http.Listen);
        Assert.Null(options.Mqtt.Connection.Host);
    }

    [Fact]
    public void Every_key_is_read_from_json_with_comments_and_trailing_commas()
    {
        var password = Path.Join(Path.GetTempPath(), Path.GetRandomFileName());
        var options = Read($$"""
            // the porch
            {
              "$schema": "./camera-agent.schema.json",
              "cameras": {
                "porch": {
                  "source": { "kind": "v4l2", "path": "/dev/video2", "width": 640, "height": 480, "frameRate": 15, "pixelFormat": "MJPG", "controls": { "zoom": 100, "auto_exposure": "Manual Mode", "backlight": true } },
                  "encoder": { "kind": "openh264", "bitrate": 750000, "profile": "high", "keyFrameInterval": 4 }, /* slow */
                },
                "clip": { "source": { "kind": "file", "path": "clip.mp4" } },
                "csi": { "source": { "kind": "rpicam", "camera": 1, "arguments": ["--hflip"] }, "encoder": { "kind": "v4l2m2m" } },
                "gate": { "source": { "kind": "exec", "command": ["ffmpeg", "-i", "rtsp://gate/"] }, "encoder": { "kind": "passthrough" } },
              },
              "http": { "listen": "0.0.0.0:9090", "bearerToken": "abc.DEF-123~+/==", "corsOrigins": ["https://home.example:8443"], "requestsPerSecond": 5, "allowAnonymous": false },
              "webrtc": { "udpPort": 0, "listenAddresses": ["192.0.2.1", "2001:db8::1"], "maximumViewers": 4 },
              "mqtt": { "host": "broker.example", "port": 8883, "userName": "u", "passwordFile": "{{password}}", "caFile": "/etc/passwd", "device": "a1",
                        "baseTopic": "home/porch", "keepAlive": 30, "webSocketUrl": "wss://broker.example:9001/mqtt" },
              "log": { "level": "debug" },
            }
            """, out var problems);
        var problem = Assert.Single(problems);
        Assert.StartsWith("agent.json:15:86: mqtt.passwordFile: cannot be read: ", problem, StringComparison.Ordinal);
        Assert.Equal(["porch", "clip", "csi", "gate"], options.Cameras.Select(c => c.Name));
        Assert.Equal(
            new VideoSourceOptions { Kind = VideoSourceKind.V4l2, Path = "/dev/video2", Width = 640, Height = 480, FrameRate = 15, PixelFormat = "MJPG" },
            options.Cameras[0].Source with { Controls = new VideoSourceOptions().Controls });
        Assert.Equal([("zoom", "100"), ("auto_exposure", "Manual Mode"), ("backlight", "true")], options.Cameras[0].Source.Controls.Select(c => (c.Key, c.Value)));
        Assert.Equal((1, "--hflip", VideoEncoderKind.V4l2M2m), (options.Cameras[2].Source.CameraIndex, Assert.Single(options.Cameras[2].Source.Arguments), options.Cameras[2].Encoder.Kind));
        Assert.Equal(["ffmpeg", "-i", "rtsp://gate/"], options.Cameras[3].Source.Command);
        Assert.Equal(
            new VideoEncoderOptions { Kind = VideoEncoderKind.OpenH264, BitrateBps = 750000, Profile = H264Profile.High, KeyFrameIntervalSeconds = 4 },
            options.Cameras[0].Encoder);
        Assert.Equal(new IPEndPoint(IPAddress.Any, 9090), options.Http.Listen);
        Assert.Equal("abc.DEF-123~+/==", options.Http.BearerToken);
        Assert.Equal(["https://home.example:8443"], options.Http.CorsOrigins);
        Assert.Equal(5, options.Http.RequestsPerSecond);
        Assert.Equal(0, options.WebRtc.UdpPort);
        Assert.Equal(["192.0.2.1", "2001:db8::1"], options.WebRtc.ListenAddresses.Select(a => a.ToString()));
        Assert.Equal(4, options.WebRtc.MaximumViewers);
        var mqtt = options.Mqtt.Connection;
        Assert.Equal(("broker.example", 8883, "u", "/etc/passwd", "a1", "home/porch", 30),
            (mqtt.Host, mqtt.Port, mqtt.UserName, mqtt.CaFile, mqtt.Device, mqtt.EffectiveBaseTopic, mqtt.KeepAliveSeconds));
        Assert.Equal("wss://broker.example:9001/mqtt", options.Mqtt.WebSocketUrl);
        Assert.Equal(LogLevel.Debug, options.LogLevel);
    }

    [Fact]
    public void The_password_is_the_first_line_of_its_file()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "s3cret\nsecond line\n");
            Assert.Equal("s3cret", ReadGood($$"""{ "mqtt": { "host": "b", "passwordFile": "{{file}}" } }""").Mqtt.Connection.Password);
            File.WriteAllText(file, "\n");
            Read($$"""{ "mqtt": { "host": "b", "passwordFile": "{{file}}" } }""", out var problems);
            Assert.Equal($"agent.json:1:42: mqtt.passwordFile: found \"{file}\"; its first line is empty.", Assert.Single(problems));
        }
        finally
        {
            File.Delete(file);
        }
    }

    public static TheoryData<string, string> BadDocuments { get; } = new()
    {
        // Unknown keys.
        { """{ "htp": {} }""", "agent.json:1:3: htp: unknown key; did you mean \"http\"?" },
        { "{\n  \"http\": { \"listne\": \"x\" }\n}", "agent.json:2:13: http.listne: unknown key; did you mean \"listen\"?" },
        { """{ "Log": {} }""", "agent.json:1:3: Log: unknown key; did you mean \"log\"?" },
        { """{ "log": { "colour": 1 } }""", "agent.json:1:12: log.colour: unknown key; use one of level." },
        { "{ \"cameras\": { \"main\": {\n\t\"source\": { \"framerate\": 5 } } } }", "agent.json:2:14: cameras.main.source.framerate: unknown key; did you mean \"frameRate\"?" },
        // Wrong types.
        { """{ "cameras": { "main": { "source": { "width": "wide" } } } }""", "agent.json:1:47: cameras.main.source.width: found \"wide\"; expected an integer from 16 to 4096." },
        { """{ "cameras": { "main": { "source": { "width": "640" } } } }""", "agent.json:1:47: cameras.main.source.width: found \"640\"; expected an integer from 16 to 4096." },
        { """{ "webrtc": { "udpPort": 8443.5 } }""", "agent.json:1:26: webrtc.udpPort: found the number 8443.5; expected an integer from 0 to 65535." },
        { """{ "http": { "allowAnonymous": 1 } }""", "agent.json:1:31: http.allowAnonymous: found the number 1; expected true or false." },
        { """{ "http": { "corsOrigins": "https://a.example" } }""", "agent.json:1:28: http.corsOrigins: found \"https://a.example\"; expected an array of origins." },
        { """{ "http": [] }""", "agent.json:1:11: http: found an array; expected an object with the keys listen, bearerToken, allowAnonymous, corsOrigins, requestsPerSecond." },
        { """{ "http": { "bearerToken": null } }""", "agent.json:1:28: http.bearerToken: found null; write a token of letters, digits and ._~+/- (RFC 6750), such as \"openssl rand -hex 16\" prints, or remove the key for its default." },
        { "[]", "agent.json:1:1: found an array; expected an object with the keys $schema, cameras, http, webrtc, mqtt, homeAssistant, pwm, panTilt, sensors, gpio, whip, stateDirectory, automations, location, log." },
        // Out of range, not one of the words.
        { """{ "webrtc": { "maximumViewers": 0 } }""", "agent.json:1:33: webrtc.maximumViewers: found the number 0; expected an integer from 1 to 1000." },
        { """{ "webrtc": { "udpPort": 99999999999999999999 } }""", "agent.json:1:26: webrtc.udpPort: found the number 99999999999999999999; expected an integer from 0 to 65535." },
        { """{ "cameras": { "main": { "source": { "kind": "v4l" } } } }""", "agent.json:1:46: cameras.main.source.kind: found \"v4l\"; did you mean \"v4l2\"?" },
        { """{ "log": { "level": "loud" } }""", "agent.json:1:21: log.level: found \"loud\"; use one of trace, debug, information, warning, error." },
        { """{ "cameras": { "main": { "source": { "height": 481 } } } }""", "agent.json:1:48: cameras.main.source.height: found 481; H.264 4:2:0 needs an even number." },
        // Text that means nothing.
        { """{ "http": { "listen": "8080" } }""", "agent.json:1:23: http.listen: found \"8080\"; expected an address with a port, such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"." },
        { """{ "http": { "listen": "127.1:8080" } }""", "agent.json:1:23: http.listen: found \"127.1:8080\"; expected an address with a port, such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"." },
        { """{ "http": { "bearerToken": "two words" } }""", "agent.json:1:28: http.bearerToken: found \"two words\"; expected a token of letters, digits and ._~+/- (RFC 6750), such as \"openssl rand -hex 16\" prints." },
        { """{ "http": { "corsOrigins": ["*", "home.example"] } }""", "agent.json:1:34: http.corsOrigins[1]: found \"home.example\"; expected an origin such as \"https://home.example\", or \"*\"." },
        { """{ "webrtc": { "listenAddresses": ["eth0"] } }""", "agent.json:1:35: webrtc.listenAddresses[0]: found \"eth0\"; expected an IPv4 or IPv6 address." },
        { """{ "mqtt": { "baseTopic": "home/#" } }""", "agent.json:1:26: mqtt.baseTopic: found \"home/#\"; expected a topic without '+', '#' and without '/' at either end." },
        { """{ "mqtt": { "host": "b", "webSocketUrl": "http://b" } }""", "agent.json:1:42: mqtt.webSocketUrl: found \"http://b\"; expected a ws:// or wss:// URL." },
        { """{ "cameras": { "m": { "source": { "kind": "v4l2", "path": "/dev/video0", "controls": { "brightness": [1] } } } } }""", "agent.json:1:102: cameras.m.source.controls.brightness: found an array; expected a string, a number, true or false." },
        { """{ "cameras": { "m": { "source": { "kind": "exec", "command": ["a", ""] } } } }""", "agent.json:1:68: cameras.m.source.command[1]: found \"\"; expected a word without control characters." },
        // Names.
        { """{ "cameras": {} }""", "agent.json:1:14: cameras: found an object; expected an object with at least one named entry." },
        { """{ "cameras": { "front door": {} } }""", "agent.json:1:16: cameras.front door: \"front door\" cannot be a name; use 1 to 64 letters, digits, '-' and '_'." },
        { """{ "log": {}, "log": {} }""", "agent.json:1:14: log: set twice, first in line 1; remove one." },
        // Between keys.
        { """{ "cameras": { "main": { "source": { "kind": "v4l2" } } } }""", "agent.json:1:46: cameras.main.source.kind: \"v4l2\" needs cameras.main.source.path, the device node; camera-agent probe lists what there is." },
        { """{ "cameras": { "m": { "source": { "kind": "exec" } } } }""", "agent.json:1:43: cameras.m.source.kind: \"exec\" needs cameras.m.source.command, such as [\"ffmpeg\", \"-i\", \"rtsp://…\", \"-c\", \"copy\", \"-f\", \"h264\", \"-\"]." },
        { """{ "cameras": { "m": { "source": { "command": ["cat"] } } } }""", "agent.json:1:46: cameras.m.source.command: goes with kind \"exec\" only; this camera's kind is \"test\"." },
        { """{ "cameras": { "main": { "source": { "kind": "file" } } } }""", "agent.json:1:46: cameras.main.source.kind: \"file\" needs cameras.main.source.path, the video file." },
        { """{ "http": { "listen": "0.0.0.0:8080" } }""", "agent.json:1:23: http.listen: 0.0.0.0:8080 can be reached from other machines, and anybody there could watch. Set http.bearerToken, or listen on 127.0.0.1, or set http.allowAnonymous to true if that is what you want." },
        { """{ "http": { "listen": "[::]:8080" } }""", "agent.json:1:23: http.listen: [::]:8080 can be reached from other machines, and anybody there could watch. Set http.bearerToken, or listen on 127.0.0.1, or set http.allowAnonymous to true if that is what you want." },
        { """{ "mqtt": { "webSocketUrl": "ws://b" } }""", "agent.json:1:29: mqtt.webSocketUrl: needs mqtt.host, where the agent itself reaches the broker." },
        { """{ "mqtt": { "password": "a", "passwordFile": "b" } }""", "agent.json:1:46: mqtt.passwordFile: set together with mqtt.password; remove one." },
        { """{ "mqtt": { "caFile": "/nowhere/ca.pem" } }""", "agent.json:1:23: mqtt.caFile: found \"/nowhere/ca.pem\"; there is no such file." },
        // Columns count UTF-16 characters as editors do, not bytes.
        { """{ /* 😀é */ "htp": 1 }""", "agent.json:1:13: htp: unknown key; did you mean \"http\"?" },
    };

    [Theory]
    [MemberData(nameof(BadDocuments))]
    public void A_bad_key_names_itself_its_place_and_the_mend(string json, string message)
    {
        Read(json, out var problems);
        Assert.Equal(message, Assert.Single(problems));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("{", 1)]
    [InlineData("{\n  \"http\": { \"listen\" }\n}", 2)]
    [InlineData("{}\n\n{}", 3)]
    [InlineData("{\n\"a\": tru }", 2)]
    public void What_is_not_json_is_one_problem_with_its_line(string json, int line)
    {
        Read(json, out var problems);
        Assert.Matches($@"^agent\.json:{line}:\d+: not JSON: .+", Assert.Single(problems));
        Assert.DoesNotContain("LineNumber", problems[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_not_utf8_is_a_problem()
    {
        ConfigurationLoader.Read([.. "{\"a\":\""u8, 0xff, .. "\"}"u8], "agent.json", new Dictionary<string, string>(), out var problems);
        Assert.Contains("UTF-8", Assert.Single(problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_prefix_of_a_document_is_read_without_an_exception()
    {
        var json = Encoding.UTF8.GetBytes("""{ "cameras": { "é": { "source": { "width": [1, true, null, "x"] } } }, /* c */ "log": { "level": "debug" } }""");
        for (var length = 0; length < json.Length; length++)
        {
            ConfigurationLoader.Read(json.AsSpan(0, length), "agent.json", new Dictionary<string, string>(), out var problems);
            Assert.NotEmpty(problems);
        }
    }

    [Fact]
    public void All_problems_are_reported_in_the_order_of_the_file()
    {
        Read("{\n  \"cameras\": { \"main\": { \"source\": { \"width\": 1, \"hight\": 2 } } },\n  \"http\": { \"listen\": 5 },\n  \"lgo\": {}\n}", out var problems);
        Assert.Equal(
            ["cameras.main.source.width", "cameras.main.source.hight", "http.listen", "lgo"], problems.Select(p => p.Split(": ")[1]));
        Assert.Equal(["2:47", "2:50", "3:23", "4:3"], problems.Select(p => p.Split(": ")[0]["agent.json:".Length..]));
    }

    [Fact]
    public void Environment_variables_go_over_the_file_whatever_their_case()
    {
        var options = ReadGood(
            """{ "http": { "listen": "127.0.0.1:1000" }, "cameras": { "porch": { "source": { "width": 320 } } } }""",
            ("AGENT__Http__Listen", "127.0.0.1:2000"), ("AGENT__CAMERAS__PORCH__SOURCE__WIDTH", "800"), ("AGENT__cameras__yard__encoder__bitrate", "100000"),
            ("AGENT__WebRtc__ListenAddresses", "192.0.2.1, 192.0.2.2"), ("AGENT__Log__Level", "Warning"), ("AGENT__Http__AllowAnonymous", "True"), ("AGENTX", "1"));
        Assert.Equal(2000, options.Http.Listen.Port);
        Assert.Equal([("porch", 800), ("yard", 1280)], options.Cameras.Select(c => (c.Name, c.Source.Width)));
        Assert.Equal(100000, options.Cameras[1].Encoder.BitrateBps);
        Assert.Equal(2, options.WebRtc.ListenAddresses.Count);
        Assert.Equal(LogLevel.Warning, options.LogLevel);
        Assert.True(options.Http.AllowAnonymous);
    }

    [Theory]
    [InlineData("AGENT__Http__Lisen", "x", "AGENT__Http__Lisen: http.Lisen: unknown key; did you mean \"listen\"?")]
    [InlineData("AGENT__Http__Listen", "x", "AGENT__Http__Listen: http.listen: found \"x\"; expected an address with a port, such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\".")]
    [InlineData("AGENT__Http", "x", "AGENT__Http: http: found \"x\"; expected an object with the keys listen, bearerToken, allowAnonymous, corsOrigins, requestsPerSecond.")]
    [InlineData("AGENT__Http__", "x", "AGENT__Http__: names no key: write it as AGENT__Section__Key, such as AGENT__Http__Listen.")]
    [InlineData("AGENT__WebRtc__UdpPort", "many", "AGENT__WebRtc__UdpPort: webrtc.udpPort: found \"many\"; expected an integer from 0 to 65535.")]
    public void A_bad_environment_variable_names_itself(string name, string value, string message)
    {
        Read("{}", out var problems, (name, value));
        Assert.Equal(message, Assert.Single(problems));
    }

    [Theory]
    [InlineData("""{ "http": { "listen": "0.0.0.0:80", "allowAnonymous": true } }""")]
    [InlineData("""{ "http": { "listen": "0.0.0.0:80", "bearerToken": "t0ken" } }""")]
    [InlineData("""{ "http": { "listen": "localhost:80" } }""")]
    [InlineData("""{ "http": { "listen": "[::1]:0" } }""")]
    [InlineData("\uFEFF{ }")]
    public void What_is_safe_is_taken(string json) => ReadGood(json);
}
