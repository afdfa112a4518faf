using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Agent.Configuration;

/// <summary>The JSON Schema (draft 2020-12) of the configuration, from the same table that reads it.</summary>
internal static class ConfigurationSchema
{
    /// <summary>The document, indented, with a final newline.</summary>
    public static string Write()
    {
        using var stream = new MemoryStream();
        // For a file that people read, not for a page: apostrophes and '+' stay as they are.
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            writer.WriteString("title", "camera-agent configuration");
            ConfigurationTable.Root.WriteSchema(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }
}
