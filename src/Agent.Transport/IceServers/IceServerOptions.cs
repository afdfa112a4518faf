using Agent.Rtc.Ice;

namespace Agent.Transport;

/// <summary>STUN or TURN servers that share one way to log in.</summary>
public sealed record IceServerOptions
{
    public IReadOnlyList<IceServerUrl> Urls { get; init; } = [];

    /// <summary>TURN's user (RFC 8489 §14.3); with a secret only a part of it.</summary>
    public string? UserName { get; init; }

    public string? Credential { get; init; }

    /// <summary>A file whose first line is the credential.</summary>
    public string? CredentialFile { get; init; }

    /// <summary>Makes credentials that expire, in place of one that lasts.</summary>
    public string? Secret { get; init; }

    /// <summary>A PEM file of the authorities to trust for <c>turns:</c>, by the agent only; <c>null</c> for the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>A file whose first line is the secret.</summary>
    public string? SecretFile { get; init; }
}

/// <summary>Servers as a viewer is told of them: a browser's RTCIceServer (W3C WebRTC §4.2.5).</summary>
public sealed record IceServer(IReadOnlyList<string> Urls, string? Username, string? Credential);
