using System.Text.RegularExpressions;
using Agent.Whip;
using WhipKey = Agent.Configuration.Key<Agent.Whip.WhipOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    private const string PublisherPattern = "^[a-z0-9_]{1,40}$";
    private const string PublisherInWords = "1 to 40 lower-case letters, digits and '_'";
    private const int MaximumPublisherLength = 40;

    private static MapType<WhipOptions> Publishers => new(
        new SectionType<WhipOptions>(
            new WhipOptions(), CheckPublisher,
            WhipKey.Of("camera", "The camera whose stream is published, by its name in cameras.",
                Text(NameInWords, IsName, NamePattern), o => o.Camera, (o, v) => o with { Camera = v }),
            WhipKey.Of("url", "The server's WHIP endpoint.",
                new TextType<Uri?>("an http:// or https:// URL without a user name", TryParseEndpoint, v => v!.OriginalString, "^https?://"), o => o.Url, (o, v) => o with { Url = v }),
            WhipKey.Of("bearerToken", "What the server asks for in Authorization: Bearer.",
                Text("a token of letters, digits and ._~+/- (RFC 6750)", IsBearerToken, BearerPattern), o => o.BearerToken, (o, v) => o with { BearerToken = v }),
            WhipKey.Of("bearerTokenFile", "A file whose first line is the token.", FilePath, o => o.BearerTokenFile, (o, v) => o with { BearerTokenFile = v }),
            WhipKey.Of("caFile", "PEM file of the certificate authority that signed the server's certificate; without it those that the system trusts.", FilePath,
                o => o.CaFile, (o, v) => o with { CaFile = v }),
            WhipKey.Of("start", "Whether it publishes from the start: as it was when the agent stopped (restore, which needs stateDirectory), or off or on each time.",
                new ChoiceType<PublishAtStart>(("restore", PublishAtStart.Restore), ("off", PublishAtStart.Off), ("on", PublishAtStart.On)), o => o.Start, (o, v) => o with { Start = v })),
        (o, name) => o with { Name = name }, PublisherPattern, text => Regex.IsMatch(text, PublisherPattern), PublisherInWords);

    private static bool TryParseEndpoint(string text, out Uri? value) =>
        Uri.TryCreate(text, UriKind.Absolute, out value) && value.Scheme is "http" or "https" && value.UserInfo.Length == 0 && value.Host.Length > 0;

    private static void CheckPublisher(WhipOptions publisher, string path, ConfigBinding binding)
    {
        if (publisher.Url is null)
        {
            binding.Report($"{path}.url", "is missing; the server's documentation has it, such as \"https://sfu.example/whip/endpoint\".");
        }

        if (publisher.Camera is null)
        {
            binding.Report($"{path}.camera", "is missing; name one of cameras.");
        }

        if (publisher is { BearerToken: not null, BearerTokenFile: not null })
        {
            binding.Report($"{path}.bearerTokenFile", $"set together with {path}.bearerToken; remove one.");
        }

        if (publisher.CaFile is { } file && !File.Exists(file))
        {
            binding.Report($"{path}.caFile", $"found \"{file}\"; there is no such file.");
        }
    }

    private static void CheckPublishedCameras(AgentOptions options, string path, ConfigBinding binding)
    {
        foreach (var publisher in options.Whip)
        {
            if (publisher.Camera is not null && options.Cameras.All(camera => camera.Name != publisher.Camera))
            {
                binding.Report(
                    ConfigPath.Append(path, $"whip.{publisher.Name}.camera"),
                    $"found \"{publisher.Camera}\"; there is no such camera, only {string.Join(", ", options.Cameras.Select(camera => camera.Name))}.");
            }
        }
    }
}
