using System.Text.Json;

namespace Agent.Configuration;

/// <summary>A key of a section whose options are <typeparamref name="TOptions"/>.</summary>
internal abstract class ConfigKey<TOptions>(string name)
{
    public string Name { get; } = name;

    /// <summary>The options with this key's value, unchanged if it is bad.</summary>
    public abstract TOptions Read(TOptions options, ConfigNode node, string path, ConfigBinding binding);

    public abstract void WriteSchema(Utf8JsonWriter writer, TOptions defaults);
}

/// <summary>A key: its name, what it is for, its type, where its value lives.</summary>
internal sealed class ConfigKey<TOptions, T>(
    string name, string description, ConfigType<T> type, Func<TOptions, T> get, Func<TOptions, T, TOptions> set) : ConfigKey<TOptions>(name)
{
    public override TOptions Read(TOptions options, ConfigNode node, string path, ConfigBinding binding) =>
        type.TryRead(node, path, binding, out var value) ? set(options, value) : options;

    public override void WriteSchema(Utf8JsonWriter writer, TOptions defaults)
    {
        writer.WriteStartObject(Name);
        writer.WriteString("description", description);
        type.WriteSchema(writer);
        if (get(defaults) is var value && type.HasWritableDefault(value))
        {
            writer.WritePropertyName("default");
            type.WriteValue(writer, value);
        }

        writer.WriteEndObject();
    }
}

/// <summary>An object with a fixed set of keys, each with a default.</summary>
/// <param name="defaults">The options when nothing is written.</param>
/// <param name="check">What must hold between the keys; called with the options, the section's path, and where to report.</param>
/// <param name="keys">The table.</param>
internal sealed class SectionType<TOptions>(TOptions defaults, Action<TOptions, string, ConfigBinding>? check, params ConfigKey<TOptions>[] keys)
    : ConfigType<TOptions>
{
    public override bool HasWritableDefault(TOptions value) => false;

    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out TOptions value)
    {
        if (node.Kind != ConfigKind.Object)
        {
            return Refuse(node, path, binding, $"an object with the keys {string.Join(", ", keys.Select(k => k.Name))}", out value);
        }

        var before = binding.Problems.Count;
        value = defaults;
        foreach (var member in node.Members)
        {
            var comparison = member.Location.IsEnvironment ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
            var key = Array.Find(keys, k => k.Name.Equals(member.Name, comparison));
            if (key is null)
            {
                binding.Problems.Add(new ConfigProblem(
                    member.Location, ConfigPath.Append(path, member.Name), $"unknown key; {ConfigPath.Suggest(member.Name, keys.Select(k => k.Name))}"));
                continue;
            }

            var keyPath = ConfigPath.Append(path, key.Name);
            binding.Remember(keyPath, member.Value.Location);
            value = key.Read(value, member.Value, keyPath, binding);
        }

        // A check between keys is only meaningful once each of them is good.
        if (binding.Problems.Count == before)
        {
            check?.Invoke(value, path, binding);
        }

        return binding.Problems.Count == before;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "object");
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteStartObject("properties");
        foreach (var key in keys)
        {
            key.WriteSchema(writer, defaults);
        }

        writer.WriteEndObject();
    }

    public override void WriteValue(Utf8JsonWriter writer, TOptions value) => throw new NotSupportedException("A section has no default of its own; its keys do.");
}

/// <summary>An object whose keys are names that the user chooses.</summary>
/// <param name="entry">The type of each entry.</param>
/// <param name="withName">The entry with its name set.</param>
/// <param name="namePattern">What a name may be, for the schema.</param>
/// <param name="isName">The same as a check.</param>
/// <param name="nameInWords">The same for messages.</param>
internal sealed class MapType<T>(ConfigType<T> entry, Func<T, string, T> withName, string namePattern, Func<string, bool> isName, string nameInWords)
    : ConfigType<IReadOnlyList<T>>
{
    public override bool HasWritableDefault(IReadOnlyList<T> value) => false;

    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out IReadOnlyList<T> value)
    {
        if (node.Kind != ConfigKind.Object || node.Members.Count == 0)
        {
            return Refuse(node, path, binding, "an object with at least one named entry", out value);
        }

        var list = new List<T>();
        var good = true;
        foreach (var member in node.Members)
        {
            var entryPath = ConfigPath.Append(path, member.Name);
            binding.Remember(entryPath, member.Value.Location);
            if (!isName(member.Name))
            {
                binding.Problems.Add(new ConfigProblem(member.Location, entryPath, $"\"{member.Name}\" cannot be a name; use {nameInWords}."));
                good = false;
            }

            if (entry.TryRead(member.Value, entryPath, binding, out var read))
            {
                list.Add(withName(read, member.Name));
            }
            else
            {
                good = false;
            }
        }

        value = list;
        return good;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "object");
        writer.WriteNumber("minProperties", 1);
        writer.WriteBoolean("additionalProperties", false);
        writer.WriteStartObject("patternProperties");
        writer.WriteStartObject(namePattern);
        entry.WriteSchema(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    public override void WriteValue(Utf8JsonWriter writer, IReadOnlyList<T> value) => throw new NotSupportedException("A map has no default to write.");
}
