using System.Text.Json;
using Agent.Home;

namespace Agent.Http;

/// <summary>What JSON clients may give as the value of a command, over HTTP and on data channels.</summary>
internal static class CommandValue
{
    /// <summary>The text that the registry takes, or <c>null</c> for what is no text, number, true or false.</summary>
    public static string? Read(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => SwitchEntity.On,
        JsonValueKind.False => SwitchEntity.Off,
        JsonValueKind.String or JsonValueKind.Number => value.ToString(),
        _ => null,
    };
}
