using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>A parsed <c>application/trickle-ice-sdpfrag</c> (RFC 8840 §9).</summary>
/// <param name="Ice">New credentials if the fragment carries them, else <c>null</c>.</param>
/// <param name="Candidates">The usable candidates.</param>
/// <param name="EndOfCandidates">a=end-of-candidates was there.</param>
public sealed record TrickleFragment(IceCredentials? Ice, IReadOnlyList<SignaledCandidate> Candidates, bool EndOfCandidates);
