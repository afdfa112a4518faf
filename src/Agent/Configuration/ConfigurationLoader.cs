using System.Text;

namespace Agent.Configuration;

/// <summary>From a file and the environment to options, or to everything that is wrong.</summary>
internal static class ConfigurationLoader
{
    /// <param name="file">The configuration file, or <c>null</c> for defaults and environment alone.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="problems">Empty if the options can be used.</param>
    public static AgentOptions Load(string? file, IReadOnlyDictionary<string, string> environment, out List<ConfigProblem> problems)
    {
        byte[] json = "{}"u8.ToArray();
        if (file is not null)
        {
            try
            {
                json = File.ReadAllBytes(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems = [new ConfigProblem(new ConfigLocation(file, 0, 0), "", $"cannot be read: {e.Message}")];
                return new AgentOptions();
            }
        }

        return Read(json, file ?? "the default configuration", environment, out problems);
    }

    /// <param name="json">The document, UTF-8.</param>
    /// <param name="file">Its name, for messages.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="problems">Empty if the options can be used.</param>
    public static AgentOptions Read(ReadOnlySpan<byte> json, string file, IReadOnlyDictionary<string, string> environment, out List<ConfigProblem> problems)
    {
        problems = [];
        var root = ConfigParser.Parse(json, file, problems);
        if (root is null)
        {
            return new AgentOptions();
        }

        if (root.Kind == ConfigKind.Object)
        {
            EnvironmentOverlay.Apply(root, environment, problems);
        }

        var binding = new ConfigBinding(new ConfigLocation(file, 0, 0), problems);
        _ = ConfigurationTable.Root.TryRead(root, "", binding, out var options);
        if (problems.Count == 0)
        {
            options = ReadSecrets(options, binding);
        }

        problems = [.. problems.OrderBy(p => (p.Location.Line, p.Location.Column))];
        return options;
    }

    private static AgentOptions ReadSecrets(AgentOptions options, ConfigBinding binding)
    {
        if (options.Mqtt.PasswordFile is { } file)
        {
            var password = ReadFirstLine(file, "mqtt.passwordFile", binding);
            options = options with { Mqtt = options.Mqtt with { Connection = options.Mqtt.Connection with { Password = password } } };
        }

        return options with
        {
            Whip = [.. options.Whip.Select(whip => whip.BearerTokenFile is { } token
                ? whip with { BearerToken = ReadFirstLine(token, $"whip.{whip.Name}.bearerTokenFile", binding) } : whip)],
            WebRtc = options.WebRtc with
            {
                IceServers = [.. options.WebRtc.IceServers.Select((server, index) => server with
                {
                    Credential = server.CredentialFile is { } credential
                        ? ReadFirstLine(credential, $"webrtc.iceServers[{index}].credentialFile", binding) : server.Credential,
                    Secret = server.SecretFile is { } secret ? ReadFirstLine(secret, $"webrtc.iceServers[{index}].secretFile", binding) : server.Secret,
                })],
            },
        };
    }

    private static string ReadFirstLine(string file, string key, ConfigBinding binding)
    {
        try
        {
            var line = File.ReadLines(file, Encoding.UTF8).FirstOrDefault("");
            if (line.Length == 0)
            {
                binding.Report(key, $"found \"{file}\"; its first line is empty.");
            }

            return line;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            binding.Report(key, $"cannot be read: {e.Message}");
            return "";
        }
    }
}
