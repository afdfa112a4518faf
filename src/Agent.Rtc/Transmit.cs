namespace Agent.Rtc;

/// <summary>A datagram that a protocol core wants sent; its bytes are in the caller's buffer.</summary>
/// <param name="Length">Bytes of the caller's buffer that make up the datagram.</param>
/// <param name="Local">The local candidate's base to send from; <c>default</c> leaves the choice to the kernel.</param>
/// <param name="Remote">Where to send it.</param>
public readonly record struct Transmit(int Length, TransportAddress Local, TransportAddress Remote);
