using System.Buffers;

namespace Agent.Mqtt;

/// <summary>The kinds of message a client sends.</summary>
internal enum SignalKind
{
    Offer,
    Ice,
    Bye,
}

/// <summary>The agent's topics under its base topic.</summary>
internal sealed class SignalingTopics(string baseTopic)
{
    private const int MaxClientLength = 64;

    /// <summary>A Response Topic is a name of the client's making.</summary>
    private const int MaxResponseTopicLength = 256;

    private static readonly SearchValues<char> s_client =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:@~");

    private static readonly (string Level, SignalKind Kind)[] s_kinds = [("offer", SignalKind.Offer), ("ice", SignalKind.Ice), ("bye", SignalKind.Bye)];

    private readonly string _prefix = $"{baseTopic}/webrtc/";

    public string Status { get; } = $"{baseTopic}/status";

    public string Error { get; } = $"{baseTopic}/error";

    /// <summary>What the agent subscribes to. The bye topic is shared by both directions.</summary>
    public IEnumerable<(string Filter, bool NoLocal)> Filters => s_kinds.Select(kind => ($"{_prefix}{kind.Level}/+", kind.Kind == SignalKind.Bye));

    public string Answer(string client) => $"{_prefix}answer/{client}";

    public string DeviceIce(string client) => $"{_prefix}ice/{client}/device";

    public string Bye(string client) => $"{_prefix}bye/{client}";

    /// <summary>False for topics that are not signalling. The client name may still be unusable: see <see cref="IsClient"/>.</summary>
    public bool TryParse(string topic, out SignalKind kind, out string client)
    {
        foreach (var (level, candidate) in s_kinds)
        {
            var length = _prefix.Length + level.Length + 1;
            if (topic.Length > length && topic.StartsWith(_prefix, StringComparison.Ordinal)
                && topic.AsSpan(_prefix.Length).StartsWith(level, StringComparison.Ordinal) && topic[length - 1] == '/')
            {
                kind = candidate;
                client = topic[length..];
                return true;
            }
        }

        kind = default;
        client = "";
        return false;
    }

    /// <summary>1 to 64 letters, digits and <c>-_.:@~</c>: safe in a topic, in a log and in a status page.</summary>
    public static bool IsClient(string client) => client.Length is > 0 and <= MaxClientLength && !client.AsSpan().ContainsAnyExcept(s_client);

    /// <summary>
    /// Only below the answer topics: the broker's access list lets the agent publish where a client may not, and a client must
    /// not borrow that right.
    /// </summary>
    public bool IsAllowedResponse(string topic) =>
        topic.Length is > 0 and <= MaxResponseTopicLength && topic.StartsWith($"{_prefix}answer/", StringComparison.Ordinal)
        && !topic.AsSpan().ContainsAny('+', '#', '\0');
}
