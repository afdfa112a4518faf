using Agent.Home;

namespace Agent.Mqtt;

/// <summary>The entities' topics under the agent's base topic.</summary>
internal sealed class EntityTopics(string baseTopic)
{
    private const string CommandLevel = "/set";
    private const string AvailabilityLevel = "/availability";

    /// <summary>A Response Topic is a name of the client's making.</summary>
    private const int MaxResponseTopicLength = 256;

    private readonly string _prefix = $"{baseTopic}/";

    public string Status { get; } = $"{baseTopic}/status";

    public string Error { get; } = $"{baseTopic}/error";

    /// <summary>Every entity's commands.</summary>
    public string CommandFilter { get; } = $"{baseTopic}/+{CommandLevel}";

    /// <summary>Every entity's availability, with those that the broker still keeps of entities long gone.</summary>
    public string AvailabilityFilter { get; } = $"{baseTopic}/+{AvailabilityLevel}";

    public string State(string id) => _prefix + id;

    public string Command(string id) => _prefix + id + CommandLevel;

    public string Availability(string id) => _prefix + id + AvailabilityLevel;

    /// <summary>Where the home itself says which version is the newest.</summary>
    public string LatestVersion(string id) => _prefix + id + "/latest";

    /// <summary>False for topics that are no command's. The entity may not exist, and its id may be anything.</summary>
    public bool TryParseCommand(string topic, out string id) => TryParse(topic, CommandLevel, out id);

    /// <summary>False for topics that are no entity's availability.</summary>
    public bool TryParseAvailability(string topic, out string id) => TryParse(topic, AvailabilityLevel, out id) && Entity.IsId(id);

    /// <summary>
    /// Only below <c>response/</c>: the broker's access list lets the agent publish where a client may not, and a client must not borrow
    /// that right to forge states.
    /// </summary>
    public bool IsAllowedResponse(string topic) =>
        topic.Length is > 0 and <= MaxResponseTopicLength && topic.StartsWith($"{_prefix}response/", StringComparison.Ordinal)
        && !topic.AsSpan().ContainsAny('+', '#', '\0');

    private bool TryParse(string topic, string level, out string id)
    {
        var isOne = topic.Length >= _prefix.Length + level.Length && topic.StartsWith(_prefix, StringComparison.Ordinal)
            && topic.EndsWith(level, StringComparison.Ordinal);
        id = isOne ? topic[_prefix.Length..^level.Length] : "";
        return isOne && !id.Contains('/', StringComparison.Ordinal);
    }
}
