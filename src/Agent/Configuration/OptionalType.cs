using System.Text.Json;

namespace Agent.Configuration;

/// <summary>A value that may be left out, and then is not the type's own.</summary>
internal sealed class OptionalType<T>(ConfigType<T> type) : ConfigType<T?> where T : struct
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out T? value)
    {
        var isGood = type.TryRead(node, path, binding, out var read);
        value = read;
        return isGood;
    }

    public override void WriteSchema(Utf8JsonWriter writer) => type.WriteSchema(writer);

    public override void WriteValue(Utf8JsonWriter writer, T? value) => type.WriteValue(writer, value!.Value);
}
