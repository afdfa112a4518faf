namespace Agent.Configuration;

/// <summary>
/// Lays environment variables over the file: <c>AGENT__Http__Listen</c> is the key <c>http.listen</c>. Upper and lower case are alike
/// here, because a shell's variables are often upper case throughout.
/// </summary>
internal static class EnvironmentOverlay
{
    public const string Prefix = "AGENT__";

    private const string Separator = "__";

    /// <param name="root">The object to change.</param>
    /// <param name="environment">All variables; those without the prefix are left alone.</param>
    /// <param name="problems">Variables that cannot be laid over anything.</param>
    public static void Apply(ConfigNode root, IEnumerable<KeyValuePair<string, string>> environment, List<ConfigProblem> problems)
    {
        foreach (var (name, value) in environment.Where(v => v.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            var location = new ConfigLocation(name, 0, 0);
            var keys = name[Prefix.Length..].Split(Separator);
            if (keys.Contains(""))
            {
                problems.Add(new ConfigProblem(location, "", "names no key: write it as AGENT__Section__Key, such as AGENT__Http__Listen."));
                continue;
            }

            var parent = root;
            foreach (var key in keys[..^1])
            {
                var member = Find(parent, key);
                if (member is null || member.Value.Kind == ConfigKind.Text)
                {
                    member = Replace(parent, member, new ConfigMember(member?.Name ?? key, location, new ConfigNode(ConfigKind.Object, location)));
                }

                parent = member.Value;
            }

            var existing = Find(parent, keys[^1]);
            Replace(parent, existing, new ConfigMember(existing?.Name ?? keys[^1], location, new ConfigNode(ConfigKind.Text, location, value)));
        }
    }

    private static ConfigMember? Find(ConfigNode parent, string name) =>
        parent.Members.Find(m => m.Name == name) ?? parent.Members.Find(m => m.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static ConfigMember Replace(ConfigNode parent, ConfigMember? old, ConfigMember member)
    {
        if (old is not null)
        {
            parent.Members.Remove(old);
        }

        parent.Members.Add(member);
        return member;
    }
}
