namespace Agent.Rtc.Ice;

/// <summary>The ufrag and password of one side of an ICE session (RFC 8445 §5.3).</summary>
/// <param name="Ufrag">4 to 256 ice-chars.</param>
/// <param name="Password">22 to 256 ice-chars.</param>
public sealed record IceCredentials(string Ufrag, string Password);
