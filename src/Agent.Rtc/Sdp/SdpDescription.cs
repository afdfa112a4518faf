namespace Agent.Rtc.Sdp;

/// <summary>One <c>a=</c> line.</summary>
/// <param name="Line">Its line number, from 1, for error messages.</param>
/// <param name="Name">Up to the first colon.</param>
/// <param name="Value">After the first colon; empty if there is none.</param>
internal readonly record struct SdpAttribute(int Line, string Name, string Value);

/// <summary>The session-level part, or one media section.</summary>
internal sealed class SdpBlock(int line)
{
    private readonly Dictionary<string, SdpAttribute> _first = new(StringComparer.Ordinal);

    /// <summary>The <c>m=</c> line's number; 1 for the session level.</summary>
    public int Line { get; } = line;

    /// <summary>"video", "audio", "application"; empty for the session level.</summary>
    public string Media { get; init; } = "";

    public int Port { get; init; }

    /// <summary>For example "UDP/TLS/RTP/SAVPF".</summary>
    public string Protocol { get; init; } = "";

    public IReadOnlyList<string> Formats { get; init; } = [];

    public List<SdpAttribute> Attributes { get; } = [];

    public string? Mid => Find("mid")?.Value;

    public void Add(SdpAttribute attribute)
    {
        Attributes.Add(attribute);
        _first.TryAdd(attribute.Name, attribute);
    }

    /// <summary>The first attribute of that name.</summary>
    public SdpAttribute? Find(string name) => _first.TryGetValue(name, out var attribute) ? attribute : null;

    public bool Has(string name) => _first.ContainsKey(name);
}

/// <summary>Parsed SDP: the lines that WebRTC uses. Others (o=, s=, c=, b=, k= …) are checked for form only.</summary>
internal sealed record SdpDescription(SdpBlock Session, IReadOnlyList<SdpBlock> Sections);
