using System.Globalization;
using System.Text.Json;

namespace Agent.Configuration;

/// <summary>What reading gathers: the problems, and where each key was written, for checks that span several keys.</summary>
internal sealed class ConfigBinding(ConfigLocation document, List<ConfigProblem> problems)
{
    private readonly Dictionary<string, ConfigLocation> _locations = [];

    public List<ConfigProblem> Problems => problems;

    public void Remember(string path, ConfigLocation location) => _locations[path] = location;

    public bool IsSet(string path) => _locations.ContainsKey(path);

    /// <summary>Reports at the key if it was written, else at the nearest section around it that was.</summary>
    public void Report(string path, string message)
    {
        var at = path;
        ConfigLocation location;
        while (!_locations.TryGetValue(at, out location))
        {
            if (at.Length == 0)
            {
                location = document;
                break;
            }

            at = at.LastIndexOf('.') is var dot and >= 0 ? at[..dot] : "";
        }

        problems.Add(new ConfigProblem(location, path, message));
    }
}

/// <summary>The type of a configuration value: how it is read and how the JSON Schema says it.</summary>
internal abstract class ConfigType<T>
{
    /// <summary>False if the value cannot be used; every problem in it has then been reported.</summary>
    public abstract bool TryRead(ConfigNode node, string path, ConfigBinding binding, out T value);

    /// <summary>Writes the members of the type's schema object.</summary>
    public abstract void WriteSchema(Utf8JsonWriter writer);

    /// <summary>Writes a default value; only called for values that are not <c>null</c>.</summary>
    public abstract void WriteValue(Utf8JsonWriter writer, T value);

    /// <summary>False where a default would say nothing: sections, and the absence of a value.</summary>
    public virtual bool HasWritableDefault(T value) => value is not null;

    protected static bool Refuse(ConfigNode node, string path, ConfigBinding binding, string expected, out T value)
    {
        value = default!;
        var mend = node.Kind == ConfigKind.Null ? $"write {expected}, or remove the key for its default." : $"expected {expected}.";
        binding.Problems.Add(new ConfigProblem(node.Location, path, $"found {node.Describe()}; {mend}"));
        return false;
    }
}

internal sealed class IntegerType(int minimum, int maximum) : ConfigType<int>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out int value) =>
        node.Kind is ConfigKind.Number or ConfigKind.Text
        && int.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
        && value >= minimum && value <= maximum
        || Refuse(node, path, binding, $"an integer from {minimum} to {maximum}", out value);

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "integer");
        writer.WriteNumber("minimum", minimum);
        writer.WriteNumber("maximum", maximum);
    }

    public override void WriteValue(Utf8JsonWriter writer, int value) => writer.WriteNumberValue(value);
}

internal sealed class BooleanType : ConfigType<bool>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out bool value) =>
        node.Kind is ConfigKind.Boolean or ConfigKind.Text && bool.TryParse(node.Text, out value)
        || Refuse(node, path, binding, "true or false", out value);

    public override void WriteSchema(Utf8JsonWriter writer) => writer.WriteString("type", "boolean");

    public override void WriteValue(Utf8JsonWriter writer, bool value) => writer.WriteBooleanValue(value);
}

internal delegate bool TryParseText<T>(string text, out T value);

/// <summary>A string with a meaning.</summary>
/// <param name="expected">In words, for messages: "a file path".</param>
/// <param name="tryParse">The check and the conversion.</param>
/// <param name="format">Back to text, for defaults.</param>
/// <param name="pattern">For the schema, where a regular expression can say it.</param>
internal sealed class TextType<T>(string expected, TryParseText<T> tryParse, Func<T, string> format, string? pattern = null) : ConfigType<T>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out T value) =>
        node.Kind is ConfigKind.String or ConfigKind.Text && tryParse(node.Text, out value)
        || Refuse(node, path, binding, expected, out value);

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "string");
        if (pattern is not null)
        {
            writer.WriteString("pattern", pattern);
        }
    }

    public override void WriteValue(Utf8JsonWriter writer, T value) => writer.WriteStringValue(format(value));
}

/// <summary>One of a few words.</summary>
internal sealed class ChoiceType<T>(params (string Name, T Value)[] choices) : ConfigType<T>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out T value)
    {
        foreach (var choice in choices)
        {
            if ((node.Kind == ConfigKind.String && choice.Name == node.Text)
                || (node.Kind == ConfigKind.Text && choice.Name.Equals(node.Text, StringComparison.OrdinalIgnoreCase)))
            {
                value = choice.Value;
                return true;
            }
        }

        if (node.Kind is ConfigKind.String or ConfigKind.Text)
        {
            value = default!;
            binding.Problems.Add(new ConfigProblem(node.Location, path, $"found {node.Describe()}; {ConfigPath.Suggest(node.Text, choices.Select(c => c.Name))}"));
            return false;
        }

        return Refuse(node, path, binding, $"one of {string.Join(", ", choices.Select(c => $"\"{c.Name}\""))}", out value);
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("enum");
        foreach (var (name, _) in choices)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    }

    public override void WriteValue(Utf8JsonWriter writer, T value) =>
        writer.WriteStringValue(choices.First(c => EqualityComparer<T>.Default.Equals(c.Value, value)).Name);
}

/// <summary>An object of plain values by names that the user chooses, in the order in which they were written; values are kept as text.</summary>
internal sealed class ScalarMapType(string expected) : ConfigType<IReadOnlyDictionary<string, string>>
{
    public override bool HasWritableDefault(IReadOnlyDictionary<string, string> value) => false;

    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out IReadOnlyDictionary<string, string> value)
    {
        if (node.Kind != ConfigKind.Object)
        {
            return Refuse(node, path, binding, expected, out value);
        }

        var map = new OrderedDictionary<string, string>();
        var good = true;
        foreach (var member in node.Members)
        {
            if (member.Value.Kind is ConfigKind.String or ConfigKind.Number or ConfigKind.Boolean or ConfigKind.Text)
            {
                map[member.Name] = member.Value.Text;
            }
            else
            {
                good &= Refuse(member.Value, ConfigPath.Append(path, member.Name), binding, "a string, a number, true or false", out value);
            }
        }

        value = map;
        return good;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "object");
        writer.WriteStartObject("additionalProperties");
        writer.WriteStartArray("type");
        writer.WriteStringValue("string");
        writer.WriteStringValue("number");
        writer.WriteStringValue("boolean");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public override void WriteValue(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> value) =>
        throw new NotSupportedException("A map has no default to write.");
}

/// <summary>An array; in an environment variable, items between commas.</summary>
internal sealed class ListType<T>(ConfigType<T> item, string expected) : ConfigType<IReadOnlyList<T>>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out IReadOnlyList<T> value)
    {
        IEnumerable<ConfigNode> nodes = node.Items;
        if (node.Kind == ConfigKind.Text)
        {
            nodes = node.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(text => new ConfigNode(ConfigKind.Text, node.Location, text));
        }
        else if (node.Kind != ConfigKind.Array)
        {
            return Refuse(node, path, binding, expected, out value);
        }

        var list = new List<T>();
        var good = true;
        var index = 0;
        foreach (var entry in nodes)
        {
            good &= item.TryRead(entry, $"{path}[{index++}]", binding, out var read);
            list.Add(read);
        }

        value = list;
        return good;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "array");
        writer.WriteStartObject("items");
        item.WriteSchema(writer);
        writer.WriteEndObject();
    }

    public override void WriteValue(Utf8JsonWriter writer, IReadOnlyList<T> value)
    {
        writer.WriteStartArray();
        foreach (var entry in value)
        {
            item.WriteValue(writer, entry);
        }

        writer.WriteEndArray();
    }
}
