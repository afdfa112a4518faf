using System.Text.Json;
using Agent.Http;

namespace Agent.Channels;

/// <summary>A message on the channel <c>control</c>: a command for an entity.</summary>
/// <param name="Id">Comes back with the outcome: a number or a string, as JSON; <c>null</c> if there was none.</param>
/// <param name="Entity">Which.</param>
/// <param name="Value">The command as the registry takes it.</param>
internal sealed record ControlRequest(string? Id, string Entity, string Value)
{
    /// <summary>As over MQTT: the longest word of a choice, with room.</summary>
    public const int MaximumValueLength = 256;

    private const int MaximumIdLength = 64;

    /// <summary>The shape of a request, for who got it wrong.</summary>
    private const string Expected = "send {\"type\":\"command\",\"id\":1,\"entity\":\"main_privacy\",\"value\":\"ON\"}";

    /// <param name="text">As it came.</param>
    /// <param name="request">On success; on failure with what could be read of its id.</param>
    /// <param name="problem">On failure.</param>
    public static bool TryParse(ReadOnlyMemory<byte> text, out ControlRequest request, out string problem)
    {
        request = new ControlRequest(null, "", "");
        problem = "";
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 4 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                problem = $"The message is no JSON object; {Expected}.";
                return false;
            }

            request = request with { Id = ReadId(root) };
            if (Text(root, "type") != "command" || Text(root, "entity") is not { } entity || !root.TryGetProperty("value", out var value)
                || CommandValue.Read(value) is not { } command)
            {
                problem = $"The message is no command; {Expected}, where the value is a text, a number, true or false.";
                return false;
            }

            command = command.Trim();
            request = request with { Entity = entity, Value = command };
            problem = command.Length switch
            {
                0 => "The command is empty.",
                > MaximumValueLength => $"The command has {command.Length} characters; send at most {MaximumValueLength}.",
                _ => command.Any(char.IsControl) ? "The command has control characters." : "",
            };
            return problem.Length == 0;
        }
        // A text with half a surrogate pair is valid JSON and no string.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            problem = $"The message is no JSON: {Expected}.";
            return false;
        }
    }

    private static string? ReadId(JsonElement root) =>
        root.TryGetProperty("id", out var id) && id.ValueKind is JsonValueKind.Number or JsonValueKind.String && id.GetRawText() is { Length: <= MaximumIdLength } text
            ? text : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
