namespace Agent.Rtc.Turn;

/// <summary>A peer's datagram inside a TURN server's message.</summary>
/// <param name="Offset">Where it begins in the message.</param>
/// <param name="Length">Its length; 0 if the message carries none.</param>
/// <param name="Peer">Who sent it to the relayed address.</param>
/// <param name="Relayed">The relayed address that it came to.</param>
public readonly record struct RelayedDatagram(int Offset, int Length, TransportAddress Peer, TransportAddress Relayed);
