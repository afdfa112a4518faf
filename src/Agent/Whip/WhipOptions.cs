namespace Agent.Whip;

/// <summary>Whether a publisher is at work when the agent starts.</summary>
internal enum PublishAtStart
{
    /// <summary>As it was when the agent stopped.</summary>
    Restore,
    Off,
    On,
}

/// <summary>A server that a camera's stream is published to.</summary>
internal sealed record WhipOptions
{
    public string Name { get; init; } = "";

    /// <summary>Whose stream, by its name; <c>null</c> only before the configuration is checked.</summary>
    public string? Camera { get; init; }

    /// <summary>The WHIP endpoint (RFC 9725 §2); <c>null</c> only before the configuration is checked.</summary>
    public Uri? Url { get; init; }

    /// <summary>What <c>Authorization: Bearer</c> carries; <c>null</c> sends none.</summary>
    public string? BearerToken { get; init; }

    /// <summary>A file whose first line is the token.</summary>
    public string? BearerTokenFile { get; init; }

    /// <summary>PEM file of the authority that signed the server's certificate; <c>null</c> for those that the system trusts.</summary>
    public string? CaFile { get; init; }

    public PublishAtStart Start { get; init; } = PublishAtStart.On;
}
