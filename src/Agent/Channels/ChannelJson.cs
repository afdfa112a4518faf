using System.Buffers;
using System.Text.Json;

namespace Agent.Channels;

/// <summary>Messages of the data channels: small JSON objects that name their type first (docs/data-channel.md).</summary>
internal static class ChannelJson
{
    /// <summary>One message.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="state">Given to <paramref name="write"/>.</param>
    /// <param name="write">Writes the other members.</param>
    public static ReadOnlyMemory<byte> Write<TState>(string type, TState state, Action<Utf8JsonWriter, TState> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            write(json, state);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    public static ReadOnlyMemory<byte> Error(string code, string message) => Write("error", (code, message), static (json, error) =>
    {
        json.WriteString("code", error.code);
        json.WriteString("message", error.message);
    });
}
