namespace Agent.Rtc.Rtp;

/// <summary>
/// Cuts H.264 access units into RTP payloads by RFC 6184 packetization-mode 1: single NAL unit, STAP-A (for parameter sets and other
/// small units), FU-A. Owned by one thread; the frames that it returns may be released on another.
/// </summary>
public sealed class H264Packetizer
{
    /// <param name="maximumPayloadSize">Largest RTP payload in bytes.</param>
    public H264Packetizer(int maximumPayloadSize) => _ = maximumPayloadSize;

    /// <summary>Packetizes one access unit.</summary>
    /// <param name="accessUnit">The access unit's bytes (Annex B).</param>
    /// <param name="nalUnits">Where its NAL units lie, without start codes.</param>
    /// <param name="isKeyFrame">Whether it holds an IDR picture.</param>
    /// <param name="rtpTimestamp">90 kHz timestamp.</param>
    /// <param name="capturedAt">Capture instant.</param>
    /// <returns>A frame with one reference, owned by the caller.</returns>
    public PacketizedFrame Packetize(ReadOnlySpan<byte> accessUnit, ReadOnlySpan<Range> nalUnits, bool isKeyFrame, uint rtpTimestamp, MonotonicTime capturedAt) =>
        throw new NotImplementedException();
}
