namespace Agent.Rtc.Sdp;

/// <summary>Why an offer cannot be answered; maps to the HTTP status or the MQTT error.</summary>
public enum SdpErrorKind
{
    /// <summary>The text is not SDP, or lacks something that WebRTC requires (400).</summary>
    Malformed,
    /// <summary>Nothing in it can carry this agent's H.264 (406).</summary>
    NotAcceptable,
}

/// <summary>What is wrong with an offer, in words for its sender: names the line or attribute and the mend.</summary>
public sealed record SdpError(SdpErrorKind Kind, string Message)
{
    internal static SdpError Malformed(int line, string message) => new(SdpErrorKind.Malformed, $"SDP line {line}: {message}");

    internal static SdpError NotAcceptable(int line, string message) => new(SdpErrorKind.NotAcceptable, $"SDP line {line}: {message}");
}
