using System.Net;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Transport;
using IceServerKey = Agent.Configuration.Key<Agent.Transport.IceServerOptions>;
using WebRtcKey = Agent.Configuration.Key<Agent.Transport.TransportOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    /// <summary>Made when asked for: fields of a partial class are initialized in no certain order between its files.</summary>
    private static SectionType<TransportOptions> WebRtc => new(
        new TransportOptions(), CheckWebRtc,
        WebRtcKey.Of("udpPort", "The one UDP port for all viewers; 0 lets the kernel choose.",
            new IntegerType(0, MaximumPort), o => o.UdpPort, (o, v) => o with { UdpPort = v }),
        WebRtcKey.Of("tcp", "Whether viewers may also connect by TCP, to the port of the same number: for networks that let no UDP through.",
            new BooleanType(), o => o.Tcp, (o, v) => o with { Tcp = v }),
        WebRtcKey.Of("listenAddresses", "Addresses to listen on and to offer to viewers; none means every interface that is up.",
            new ListType<IPAddress>(new TextType<IPAddress>("an IPv4 or IPv6 address", TryParseAddress, a => a.ToString()), "an array of addresses"),
            o => o.ListenAddresses, (o, v) => o with { ListenAddresses = v }),
        WebRtcKey.Of("publicAddresses", "Addresses at which a router forwards UDP to udpPort, such as \"203.0.113.7\" or \"203.0.113.7:8443\"; offered to viewers too.",
            new ListType<IPEndPoint>(
                new TextType<IPEndPoint>("a public address, with a port if it is not udpPort, such as \"203.0.113.7\", \"203.0.113.7:8443\" or \"[2001:db8::7]:8443\"",
                    TryParsePublicAddress, FormatPublicAddress), "an array of addresses"),
            o => o.PublicAddresses, (o, v) => o with { PublicAddresses = v }),
        WebRtcKey.Of("iceServers", "STUN and TURN servers, for viewers and for the agent itself.",
            new ListType<IceServerOptions>(IceServer, "an array of objects such as { \"urls\": [\"stun:stun.example.net\"] }"),
            o => o.IceServers, (o, v) => o with { IceServers = v }),
        WebRtcKey.Of("dataChannels", "true lets viewers open the data channels \"control\" and \"telemetry\" beside the picture.",
            new BooleanType(), o => o.DataChannels, (o, v) => o with { DataChannels = v }),
        WebRtcKey.Of("adaptation", "Whether sending is paced and cameras' bitrates follow the viewers' links; false sends encoder.bitrate, come what may.",
            new BooleanType(), o => o.Adaptation, (o, v) => o with { Adaptation = v }),
        WebRtcKey.Of("adaptationPercentile", "Which viewer a camera's stream is made for: the one at this place, in percent, among their links from the narrowest to the widest. 1 is the narrowest, 100 the widest.",
            new IntegerType(1, 100), o => o.AdaptationPercentile, (o, v) => o with { AdaptationPercentile = v }),
        WebRtcKey.Of("playoutDelayMinimum", "Milliseconds, in steps of 10, for which viewers hold pictures back at least, for a smoother picture. One whose link loses packets is asked for as long as it takes to send them again.",
            new IntegerType(0, PlayoutDelay.LongestMilliseconds), o => (int)o.PlayoutDelay.Minimum.TotalMilliseconds,
            (o, v) => o with { PlayoutDelay = o.PlayoutDelay with { Minimum = TimeSpan.FromMilliseconds(v) } }),
        WebRtcKey.Of("playoutDelayMaximum", "The same at most; both 0 show each picture as soon as it is there.",
            new IntegerType(0, PlayoutDelay.LongestMilliseconds), o => (int)o.PlayoutDelay.Maximum.TotalMilliseconds,
            (o, v) => o with { PlayoutDelay = o.PlayoutDelay with { Maximum = TimeSpan.FromMilliseconds(v) } }),
        WebRtcKey.Of("maximumViewers", "Viewers at most, over all cameras; the next one is told to try again later.",
            new IntegerType(1, 1000), o => o.MaximumViewers, (o, v) => o with { MaximumViewers = v }));

    private static SectionType<IceServerOptions> IceServer => new(
        new IceServerOptions(), CheckIceServer,
        IceServerKey.Of("urls", "stun:HOST:PORT, turn:HOST:PORT?transport=udp and the like (RFC 7064, RFC 7065).",
            new ListType<IceServerUrl>(
                new TextType<IceServerUrl>("a URL such as \"stun:stun.example.net:3478\" or \"turn:turn.example.net:3478?transport=udp\"",
                    (string text, out IceServerUrl value) => IceServerUrl.TryParse(text, out value!), u => u.ToString()), "an array of URLs"),
            o => o.Urls, (o, v) => o with { Urls = v }),
        IceServerKey.Of("username", "TURN's user; viewers get it as it is. With secret, the name that stands behind the expiry time.",
            Text("printable ASCII", IsPrintable), o => o.UserName, (o, v) => o with { UserName = v }),
        IceServerKey.Of("credential", "Its password, which viewers get as it is; secret spares that.",
            Text("printable ASCII", IsPrintable), o => o.Credential, (o, v) => o with { Credential = v }),
        IceServerKey.Of("credentialFile", "A file whose first line is the password.", FilePath, o => o.CredentialFile, (o, v) => o with { CredentialFile = v }),
        IceServerKey.Of("secret", "The secret shared with the TURN server (coturn's static-auth-secret): each viewer gets a password made from it that is good for a day.",
            Text("a secret", text => text.Length > 0), o => o.Secret, (o, v) => o with { Secret = v }),
        IceServerKey.Of("secretFile", "A file whose first line is the secret.", FilePath, o => o.SecretFile, (o, v) => o with { SecretFile = v }),
        IceServerKey.Of("caFile", "PEM file of the authorities that the agent trusts for turns:, in place of the system's; viewers trust their own.",
            FilePath, o => o.CaFile, (o, v) => o with { CaFile = v }));

    private const int LongestTurnUserName = 480;

    private static void CheckWebRtc(TransportOptions webRtc, string path, ConfigBinding binding)
    {
        if (webRtc.PlayoutDelay.Minimum > webRtc.PlayoutDelay.Maximum)
        {
            binding.Report($"{path}.playoutDelayMinimum", $"is more than {path}.playoutDelayMaximum; raise that too.");
        }
    }

    private static void CheckIceServer(IceServerOptions server, string path, ConfigBinding binding)
    {
        if (server.Urls.Count == 0)
        {
            binding.Report($"{path}.urls", "is missing; name at least one server.");
        }

        var sources = new[] { ("credential", server.Credential), ("credentialFile", server.CredentialFile), ("secret", server.Secret), ("secretFile", server.SecretFile) }
            .Where(source => source.Item2 is not null).Select(source => source.Item1).ToArray();
        if (sources.Length > 1)
        {
            binding.Report($"{path}.{sources[1]}", $"set together with {path}.{sources[0]}; remove one.");
        }

        if (server.CaFile is { } authorities && !File.Exists(authorities))
        {
            binding.Report($"{path}.caFile", $"found \"{authorities}\"; there is no such file.");
        }

        var usesSecret = server.Secret is not null || server.SecretFile is not null;
        if (!usesSecret && server.UserName is null != (sources.Length == 0))
        {
            binding.Report(path, "username and credential (or credentialFile) go together; secret needs no username.");
        }

        if (server.UserName is { Length: > LongestTurnUserName })
        {
            binding.Report($"{path}.username", $"is longer than {LongestTurnUserName} characters (RFC 8489 §14.3 allows 508, less the expiry time of a secret's).");
        }

        if (sources.Length == 0 && server.Urls.FirstOrDefault(url => url.IsTurn) is { } turn)
        {
            binding.Report($"{path}.urls", $"{turn} needs username and credential, or secret: a TURN server relays for nobody unknown (RFC 8656 §5).");
        }
    }

    private static bool IsPrintable(string text) => text.Length > 0 && text.All(character => character is >= ' ' and <= '~');

    private static bool TryParsePublicAddress(string text, out IPEndPoint value) =>
        IPEndPoint.TryParse(text, out value!) && TransportAddress.From(value.Address, value.Port) is { IsUnicast: true }
            && (text.Equals(value.Address.ToString(), StringComparison.OrdinalIgnoreCase)
                || (value.Port != 0 && text.Equals(value.ToString(), StringComparison.OrdinalIgnoreCase)));

    private static string FormatPublicAddress(IPEndPoint value) => value.Port == 0 ? value.Address.ToString() : value.ToString();
}
