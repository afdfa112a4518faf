using System.Buffers;
using System.Net;
using Agent.Devices;
using CameraKey = Agent.Configuration.Key<Agent.Devices.CameraOptions>;
using EncoderKey = Agent.Configuration.Key<Agent.Devices.VideoEncoderOptions>;
using HttpKey = Agent.Configuration.Key<Agent.Configuration.HttpOptions>;
using MqttKey = Agent.Configuration.Key<Agent.Configuration.BrokerOptions>;
using RootKey = Agent.Configuration.Key<Agent.Configuration.AgentOptions>;
using SourceKey = Agent.Configuration.Key<Agent.Devices.VideoSourceOptions>;

namespace Agent.Configuration;

/// <summary>Makes keys without naming each value's type.</summary>
internal static class Key<TOptions>
{
    public static ConfigKey<TOptions> Of<T>(
        string name, string description, ConfigType<T> type, Func<TOptions, T> get, Func<TOptions, T, TOptions> set) =>
        new ConfigKey<TOptions, T>(name, description, type, get, set);
}

/// <summary>
/// Every key there is: the one table that the reader, the JSON Schema and the documentation's test go by. Limits are those beyond which
/// the device, the encoder or the protocol cannot follow.
/// </summary>
internal static partial class ConfigurationTable
{
    /// <summary>bit/s: less is no picture any more, more is beyond every level that browsers decode.</summary>
    public const int MinimumBitrate = 50_000;
    public const int MaximumBitrate = 50_000_000;

    public const int MaximumFrameRate = 120;

    private const string NamePattern = "^[A-Za-z0-9_-]{1,64}$";
    private const string NameInWords = "1 to 64 letters, digits, '-' and '_'";
    // RFC 6750 §2.1 b64token: what an Authorization header can carry.
    private const string BearerPattern = "^[A-Za-z0-9._~+/-]+=*$";
    private const int MaximumNameLength = 64;
    private const int MaximumPort = 65535;
    private const int MinimumPicture = 16;
    private const int MaximumPicture = 4096;
    private const int MaximumCsiCamera = 9;

    /// <summary>The words for who encodes.</summary>
    public static (string Word, VideoEncoderKind Kind)[] EncoderKinds =>
    [
        ("auto", VideoEncoderKind.Auto), ("passthrough", VideoEncoderKind.Passthrough), ("v4l2m2m", VideoEncoderKind.V4l2M2m),
        ("libx264", VideoEncoderKind.Libx264), ("openh264", VideoEncoderKind.OpenH264),
    ];

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    private static readonly SearchValues<char> BearerCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~+/-");

    private static readonly TextType<string?> FilePath = Text("a file path", text => text.Length > 0);

    private static readonly ListType<string> Words =
        new(new TextType<string>("a word without control characters", (string text, out string value) => IsWord(value = text), v => v), "an array of strings");

    private static readonly SectionType<VideoSourceOptions> Source = new(
        new VideoSourceOptions(), CheckSource,
        SourceKey.Of("kind", "Where frames come from: a generated test picture, a video file played in a loop, a V4L2 device, a CSI camera through rpicam-vid, or any program.",
            new ChoiceType<VideoSourceKind>(
                ("test", VideoSourceKind.Test), ("file", VideoSourceKind.File), ("v4l2", VideoSourceKind.V4l2), ("rpicam", VideoSourceKind.Rpicam),
                ("exec", VideoSourceKind.Exec)),
            o => o.Kind, (o, v) => o with { Kind = v }),
        SourceKey.Of("path", "The device node (v4l2) or the video file (file).", FilePath, o => o.Path, (o, v) => o with { Path = v }),
        SourceKey.Of("command", "exec only: the program and its arguments, run without a shell; it writes video to its standard output.",
            Words, o => o.Command, (o, v) => o with { Command = v }),
        SourceKey.Of("camera", "rpicam only: which camera, as rpicam-vid --list-cameras numbers them.",
            new IntegerType(0, MaximumCsiCamera), o => o.CameraIndex, (o, v) => o with { CameraIndex = v }),
        SourceKey.Of("arguments", "rpicam only: more arguments for rpicam-vid, such as \"--hflip\".",
            Words, o => o.Arguments, (o, v) => o with { Arguments = v }),
        SourceKey.Of("width", "Picture width in pixels, even; v4l2 takes the nearest the device has, files keep their own.",
            new IntegerType(MinimumPicture, MaximumPicture), o => o.Width, (o, v) => o with { Width = v }),
        SourceKey.Of("height", "Picture height in pixels, even; as for width.",
            new IntegerType(MinimumPicture, MaximumPicture), o => o.Height, (o, v) => o with { Height = v }),
        SourceKey.Of("frameRate", "Frames per second; v4l2 takes the nearest the device has, files keep their own.",
            new IntegerType(1, MaximumFrameRate), o => o.FrameRate, (o, v) => o with { FrameRate = v }),
        SourceKey.Of("pixelFormat", "v4l2: forces the format read from the device, without it the best one is chosen; exec: what the program writes, H264 without it.",
            new ChoiceType<string?>([.. new[] { "YUYV", "NV12", "YU12", "MJPG", "H264" }.Select(f => (f, (string?)f))]),
            o => o.PixelFormat, (o, v) => o with { PixelFormat = v }),
        SourceKey.Of("controls", "v4l2 only: brightness, exposure and the like, by the names that camera-agent probe lists; set in this order whenever the device is opened.",
            new ScalarMapType("an object with a control's name and its value on each line, such as { \"brightness\": 140, \"power_line_frequency\": \"50 Hz\" }"),
            o => o.Controls, (o, v) => o with { Controls = v }));

    private static readonly SectionType<VideoEncoderOptions> Encoder = new(
        new VideoEncoderOptions(), null,
        EncoderKey.Of("kind", "Who encodes H.264; auto takes the first of these that serves.",
            new ChoiceType<VideoEncoderKind>(EncoderKinds),
            o => o.Kind, (o, v) => o with { Kind = v }),
        EncoderKey.Of("bitrate", "Target in bit/s; less is made where viewers' links carry less.", new IntegerType(MinimumBitrate, MaximumBitrate), o => o.BitrateBps, (o, v) => o with { BitrateBps = v }),
        EncoderKey.Of("minimumBitrate", "The least that is made in bit/s, however narrow viewers' links are.",
            new IntegerType(MinimumBitrate, MaximumBitrate), o => o.MinimumBitrateBps, (o, v) => o with { MinimumBitrateBps = v }),
        EncoderKey.Of("profile", "H.264 profile; every browser decodes constrained-baseline.",
            new ChoiceType<H264Profile>(("constrained-baseline", H264Profile.ConstrainedBaseline), ("main", H264Profile.Main), ("high", H264Profile.High)),
            o => o.Profile, (o, v) => o with { Profile = v }),
        EncoderKey.Of("keyFrameInterval", "Seconds between key frames at most; viewers are given their own in between.",
            new IntegerType(1, 300), o => o.KeyFrameIntervalSeconds, (o, v) => o with { KeyFrameIntervalSeconds = v }));

    private static readonly SectionType<CameraOptions> Camera = new(
        new CameraOptions { Name = "" }, null,
        CameraKey.Of("source", "Where this camera's frames come from.", Source, o => o.Source, (o, v) => o with { Source = v }),
        CameraKey.Of("encoder", "How they are encoded.", Encoder, o => o.Encoder, (o, v) => o with { Encoder = v }),
        CameraKey.Of("smallLayer", "The size of a second stream for viewers whose links are too thin for the first, encoded only while there are any; sides are halved or quartered.",
            new ChoiceType<SmallLayerSize>(("half", SmallLayerSize.Half), ("quarter", SmallLayerSize.Quarter), ("off", SmallLayerSize.Off)),
            o => o.SmallLayer, (o, v) => o with { SmallLayer = v }),
        CameraKey.Of("privacy", "Whether the camera starts turned off: as it was when the agent stopped (restore, which needs stateDirectory), or off or on each time.",
            new ChoiceType<PrivacyAtStart>(("restore", PrivacyAtStart.Restore), ("off", PrivacyAtStart.Off), ("on", PrivacyAtStart.On)),
            o => o.Privacy, (o, v) => o with { Privacy = v }),
        CameraKey.Of("motion", "Motion in this camera's pictures.", Motion, o => o.Motion, (o, v) => o with { Motion = v }));

    private static readonly SectionType<HttpOptions> Http = new(
        new HttpOptions(), CheckHttp,
        HttpKey.Of("listen", "Address and port of WHEP, the status and the page.",
            new TextType<IPEndPoint>("an address with a port, such as \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"", TryParseEndPoint, e => e.ToString()),
            o => o.Listen, (o, v) => o with { Listen = v }),
        HttpKey.Of("bearerToken", "The secret that requests carry in Authorization: Bearer; required off loopback.",
            Text("a token of letters, digits and ._~+/- (RFC 6750), such as \"openssl rand -hex 16\" prints",
                IsBearerToken, BearerPattern),
            o => o.BearerToken, (o, v) => o with { BearerToken = v }),
        HttpKey.Of("allowAnonymous", "true lets everybody who can reach the port watch, even off loopback.",
            new BooleanType(), o => o.AllowAnonymous, (o, v) => o with { AllowAnonymous = v }),
        HttpKey.Of("corsOrigins", "Origins of pages elsewhere that may play the cameras, such as \"https://home.example\"; \"*\" is any.",
            new ListType<string>(new TextType<string>("an origin such as \"https://home.example\", or \"*\"", TryParseOrigin, o => o), "an array of origins"),
            o => o.CorsOrigins, (o, v) => o with { CorsOrigins = v }),
        HttpKey.Of("requestsPerSecond", "POST and PATCH requests per second that one client address may keep up; bursts of three times as many pass.",
            new IntegerType(1, 10_000), o => o.RequestsPerSecond, (o, v) => o with { RequestsPerSecond = v }));

    private static readonly SectionType<BrokerOptions> Mqtt = new(
        new BrokerOptions(), CheckMqtt,
        MqttKey.Of("host", "The broker's name or address; without it MQTT is off.", Text("a host name or address", text => Uri.CheckHostName(text) != UriHostNameType.Unknown),
            o => o.Connection.Host, (o, v) => o with { Connection = o.Connection with { Host = v } }),
        MqttKey.Of("port", "The broker's port; 8883 is usual with TLS.", new IntegerType(1, MaximumPort),
            o => o.Connection.Port, (o, v) => o with { Connection = o.Connection with { Port = v } }),
        MqttKey.Of("userName", "The user at the broker.", Text("a user name", text => text.Length > 0),
            o => o.Connection.UserName, (o, v) => o with { Connection = o.Connection with { UserName = v } }),
        MqttKey.Of("password", "Its password; passwordFile keeps it out of this file.", Text("a password", text => text.Length > 0),
            o => o.Connection.Password, (o, v) => o with { Connection = o.Connection with { Password = v } }),
        MqttKey.Of("passwordFile", "A file whose first line is the password.", FilePath, o => o.PasswordFile, (o, v) => o with { PasswordFile = v }),
        MqttKey.Of("caFile", "PEM file of the certificate authority that signed the broker's certificate; switches TLS on.", FilePath,
            o => o.Connection.CaFile, (o, v) => o with { Connection = o.Connection with { CaFile = v } }),
        MqttKey.Of("certificateFile", "PEM file of the certificate that the agent shows to the broker; with keyFile and caFile.", FilePath,
            o => o.Connection.CertificateFile, (o, v) => o with { Connection = o.Connection with { CertificateFile = v } }),
        MqttKey.Of("keyFile", "PEM file of that certificate's key, without a password.", FilePath,
            o => o.Connection.KeyFile, (o, v) => o with { Connection = o.Connection with { KeyFile = v } }),
        MqttKey.Of("device", "This device's name in the default base topic and in the client id.",
            new TextType<string>(NameInWords, (string text, out string value) => IsName(value = text), v => v, NamePattern),
            o => o.Connection.Device, (o, v) => o with { Connection = o.Connection with { Device = v } }),
        MqttKey.Of("baseTopic", "What all topics begin with; without it camera-agent/ and the device's name.",
            Text(TopicInWords, IsTopic),
            o => o.Connection.BaseTopic, (o, v) => o with { Connection = o.Connection with { BaseTopic = v } }),
        MqttKey.Of("keepAlive", "Seconds of silence after which each side checks on the other.", new IntegerType(5, 3600),
            o => o.Connection.KeepAliveSeconds, (o, v) => o with { Connection = o.Connection with { KeepAliveSeconds = v } }),
        MqttKey.Of("webSocketUrl", "Where browsers reach the same broker, such as \"ws://192.168.1.2:9001\", for the page with ?signal=mqtt.",
            Text("a ws:// or wss:// URL", text => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "ws" or "wss", "^wss?://"),
            o => o.WebSocketUrl, (o, v) => o with { WebSocketUrl = v }),
        MqttKey.Of("viewersMayCommand", "true lets viewers that were signalled over the broker send commands on the data channel \"control\"; without it they only watch.",
            new BooleanType(), o => o.ViewersMayCommand, (o, v) => o with { ViewersMayCommand = v }));

    private static readonly SectionType<AgentOptions> Log = new(
        new AgentOptions(), null,
        RootKey.Of("level", "How much is logged.",
            new ChoiceType<LogLevel>(
                ("trace", LogLevel.Trace), ("debug", LogLevel.Debug), ("information", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)),
            o => o.LogLevel, (o, v) => o with { LogLevel = v }));

    /// <summary>The whole document.</summary>
    public static SectionType<AgentOptions> Root { get; } = new(
        new AgentOptions(), CheckRoot,
        RootKey.Of("$schema", "For editors; the agent does not read it.", Text("a URL", _ => true), _ => null, (o, _) => o),
        RootKey.Of("cameras", "The cameras by name; the name is part of URLs and topics. Without this key there is one test camera, \"main\".",
            new MapType<CameraOptions>(Camera, (o, name) => o with { Name = name }, NamePattern, IsName, NameInWords),
            o => o.Cameras, (o, v) => o with { Cameras = v }),
        RootKey.Of("http", "WHEP, the status and the page.", Http, o => o.Http, (o, v) => o with { Http = v }),
        RootKey.Of("webrtc", "The media port and its limits.", WebRtc, o => o.WebRtc, (o, v) => o with { WebRtc = v }),
        RootKey.Of("mqtt", "Signalling and the smart home through a broker.", Mqtt, o => o.Mqtt, (o, v) => o with { Mqtt = v }),
        RootKey.Of("homeAssistant", "Discovery by Home Assistant, through the broker of mqtt.", HomeAssistant, o => o.HomeAssistant, (o, v) => o with { HomeAssistant = v }),
        RootKey.Of("pwm", "Dimmable lights on PWM channels, by name; the name is the entity's id.", PwmLights, o => o.PwmLights, (o, v) => o with { PwmLights = v }),
        RootKey.Of("panTilt", "Cameras that two servos turn, by names that are part of entity ids.", PanTilts, o => o.PanTilts, (o, v) => o with { PanTilts = v }),
        RootKey.Of("sensors", "Temperature, humidity, pressure, light, voltage and the like, by name; the name is the entity's id.", Sensors, o => o.Sensors, (o, v) => o with { Sensors = v }),
        RootKey.Of("gpio", "Sensors, contacts, buttons, relays and the like on GPIO lines, by name; the name is the entity's id.", GpioThings, o => o.Gpio, (o, v) => o with { Gpio = v }),
        RootKey.Of("whip", "Servers that streams are published to with WHIP (RFC 9725), by names that are part of entity ids.", Publishers, o => o.Whip, (o, v) => o with { Whip = v }),
        RootKey.Of("stateDirectory", "A folder for what is switched at run time and survives a restart, such as privacy; without it systemd's STATE_DIRECTORY, and without that nothing is kept.",
            FilePath, o => o.StateDirectory, (o, v) => o with { StateDirectory = v }),
        RootKey.Of("automations", "What happens by itself, by names that are part of entity ids.", Automations, o => o.Automations, (o, v) => o with { Automations = v }),
        RootKey.Of("location", "Where the device is, for sunrise and sunset in automations.", Location, o => o.Location, (o, v) => o with { Location = v }),
        RootKey.Of("log", "The log on standard output.", Log, o => o, (o, v) => o with { LogLevel = v.LogLevel }));

    private static void CheckRoot(AgentOptions options, string path, ConfigBinding binding)
    {
        CheckPwmChannels(options, path, binding);
        CheckGpioLines(options, path, binding);
        CheckPublishedCameras(options, path, binding);
        CheckAutomations(options, path, binding);
    }

    private static TextType<string?> Text(string expected, Func<string, bool> isGood, string? pattern = null) =>
        new(expected, (string text, out string? value) => isGood(value = text), value => value!, pattern);

    private static bool IsName(string text) => text.Length is > 0 and <= MaximumNameLength && !text.AsSpan().ContainsAnyExcept(NameCharacters);

    private static bool IsBearerToken(string text) => text.TrimEnd('=') is { Length: > 0 } token && !token.AsSpan().ContainsAnyExcept(BearerCharacters);

    private static bool IsWord(string text) => text.Length > 0 && !text.Any(char.IsControl);

    private static bool TryParseAddress(string text, out IPAddress value) => IPAddress.TryParse(text, out value!) && value.ToString().Equals(text, StringComparison.OrdinalIgnoreCase);

    private static bool TryParseEndPoint(string text, out IPEndPoint value)
    {
        const string LocalHost = "localhost:";
        text = text.StartsWith(LocalHost, StringComparison.OrdinalIgnoreCase) ? $"127.0.0.1:{text[LocalHost.Length..]}" : text;
        // The framework also takes an address without a port and a bare number as an address.
        return IPEndPoint.TryParse(text, out value!) && text.Contains(value.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "]:" : ":")
            && value.Address.ToString().Equals(text[..text.LastIndexOf(':')].Trim('[', ']'), StringComparison.OrdinalIgnoreCase);
    }

    private static bool TryParseOrigin(string text, out string value)
    {
        value = text;
        return text == "*" || (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            && url.GetLeftPart(UriPartial.Authority).Equals(text, StringComparison.OrdinalIgnoreCase));
    }

    private static void CheckSource(VideoSourceOptions source, string path, ConfigBinding binding)
    {
        if (source is { Kind: VideoSourceKind.V4l2, Path: null })
        {
            binding.Report($"{path}.kind", $"\"v4l2\" needs {path}.path, the device node; camera-agent probe lists what there is.");
        }
        else if (source is { Kind: VideoSourceKind.File, Path: null })
        {
            binding.Report($"{path}.kind", $"\"file\" needs {path}.path, the video file.");
        }
        else if (source is { Kind: VideoSourceKind.Exec, Command: [] })
        {
            binding.Report($"{path}.kind", $"\"exec\" needs {path}.command, such as [\"ffmpeg\", \"-i\", \"rtsp://…\", \"-c\", \"copy\", \"-f\", \"h264\", \"-\"].");
        }

        foreach (var (key, isSet, kind) in new[]
        {
            ("command", source.Command.Count > 0, VideoSourceKind.Exec), ("arguments", source.Arguments.Count > 0, VideoSourceKind.Rpicam),
            ("camera", source.CameraIndex != 0, VideoSourceKind.Rpicam), ("controls", source.Controls.Count > 0, VideoSourceKind.V4l2),
        })
        {
            if (isSet && source.Kind != kind)
            {
                binding.Report($"{path}.{key}", $"goes with kind \"{kind.ToString().ToLowerInvariant()}\" only; this camera's kind is \"{source.Kind.ToString().ToLowerInvariant()}\".");
            }
        }

        // 4:2:0 samples chroma once for two pixels each way.
        foreach (var (key, value) in new[] { ("width", source.Width), ("height", source.Height) })
        {
            if (value % 2 != 0)
            {
                binding.Report($"{path}.{key}", $"found {value}; H.264 4:2:0 needs an even number.");
            }
        }
    }

    private static void CheckHttp(HttpOptions http, string path, ConfigBinding binding)
    {
        if (!IPAddress.IsLoopback(http.Listen.Address) && http.BearerToken is null && !http.AllowAnonymous)
        {
            binding.Report($"{path}.listen",
                $"{http.Listen} can be reached from other machines, and anybody there could watch. Set {path}.bearerToken, or listen on 127.0.0.1, " +
                $"or set {path}.allowAnonymous to true if that is what you want.");
        }
    }

    private static void CheckMqtt(BrokerOptions mqtt, string path, ConfigBinding binding)
    {
        if (mqtt is { PasswordFile: not null, Connection.Password: not null })
        {
            binding.Report($"{path}.passwordFile", $"set together with {path}.password; remove one.");
        }

        if (mqtt is { WebSocketUrl: not null, Connection.Host: null })
        {
            binding.Report($"{path}.webSocketUrl", $"needs {path}.host, where the agent itself reaches the broker.");
        }

        var connection = mqtt.Connection;
        foreach (var (key, file) in new[] { ("caFile", connection.CaFile), ("certificateFile", connection.CertificateFile), ("keyFile", connection.KeyFile) })
        {
            if (file is not null && !File.Exists(file))
            {
                binding.Report($"{path}.{key}", $"found \"{file}\"; there is no such file.");
            }
        }

        foreach (var (key, file, other, otherFile) in new[]
        {
            ("certificateFile", connection.CertificateFile, "keyFile", connection.KeyFile),
            ("certificateFile", connection.CertificateFile, "caFile", connection.CaFile),
            ("keyFile", connection.KeyFile, "certificateFile", connection.CertificateFile),
        })
        {
            if (file is not null && otherFile is null)
            {
                binding.Report($"{path}.{key}", $"needs {path}.{other} as well.");
            }
        }
    }
}
