using System.Text.Json;

namespace Agent.Configuration;

/// <summary>An entity's value or a payload: a string, a number, or one of two words for true and false. Kept as text.</summary>
internal sealed class ScalarType(string whenTrue, string whenFalse) : ConfigType<string?>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out string? value)
    {
        value = node.Kind == ConfigKind.Boolean ? (bool.Parse(node.Text) ? whenTrue : whenFalse) : node.Text;
        return node.Kind is ConfigKind.String or ConfigKind.Number or ConfigKind.Boolean or ConfigKind.Text
            || Refuse(node, path, binding, "a string, a number, true or false", out value);
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("type");
        writer.WriteStringValue("string");
        writer.WriteStringValue("number");
        writer.WriteStringValue("boolean");
        writer.WriteEndArray();
    }

    public override void WriteValue(Utf8JsonWriter writer, string? value) => writer.WriteStringValue(value);
}
