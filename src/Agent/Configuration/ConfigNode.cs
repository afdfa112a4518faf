namespace Agent.Configuration;

/// <summary>Where a key or a value was written: a file with line and column (both from 1), or an environment variable.</summary>
/// <param name="Source">The file's path as given, or the variable's name.</param>
/// <param name="Line">0 for an environment variable and for a file as a whole.</param>
/// <param name="Column">In UTF-16 characters, as editors count.</param>
internal readonly record struct ConfigLocation(string Source, int Line, int Column)
{
    public bool IsEnvironment => Source.StartsWith(EnvironmentOverlay.Prefix, StringComparison.Ordinal);

    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}:{Column}";
}

internal enum ConfigKind
{
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
    /// <summary>The value of an environment variable: its type is whatever the key wants.</summary>
    Text,
}

/// <summary>A key with its value, as written.</summary>
internal sealed record ConfigMember(string Name, ConfigLocation Location, ConfigNode Value);

/// <summary>One value of the configuration, with the place it was written at.</summary>
internal sealed class ConfigNode(ConfigKind kind, ConfigLocation location, string text = "")
{
    public ConfigKind Kind { get; } = kind;

    public ConfigLocation Location { get; } = location;

    /// <summary>The string's content, the number's or literal's own text; empty for objects and arrays.</summary>
    public string Text { get; } = text;

    public List<ConfigMember> Members { get; } = [];

    public List<ConfigNode> Items { get; } = [];

    /// <summary>The value in words, for messages.</summary>
    public string Describe() => Kind switch
    {
        ConfigKind.Object => "an object",
        ConfigKind.Array => "an array",
        ConfigKind.String or ConfigKind.Text => $"\"{Text}\"",
        ConfigKind.Number => $"the number {Text}",
        _ => Text,
    };
}

/// <summary>One thing that is wrong with a configuration.</summary>
/// <param name="Location">Where it was written.</param>
/// <param name="Path">The key's path, such as <c>cameras.main.source.width</c>; empty for the document as a whole.</param>
/// <param name="Message">What was found and the mend.</param>
internal sealed record ConfigProblem(ConfigLocation Location, string Path, string Message)
{
    public override string ToString() => Path.Length == 0 ? $"{Location}: {Message}" : $"{Location}: {Path}: {Message}";
}
