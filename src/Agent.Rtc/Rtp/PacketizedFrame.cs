namespace Agent.Rtc.Rtp;

/// <summary>
/// The RTP payloads of one access unit, made once and shared by all viewers and their retransmission histories: pooled and
/// reference-counted. Immutable once built.
/// </summary>
public sealed class PacketizedFrame
{
    /// <summary>RTP timestamp before the viewer's random offset, 90 kHz (RFC 6184 §8.1).</summary>
    public uint RtpTimestamp => throw new NotImplementedException();

    /// <summary>When the picture was captured.</summary>
    public MonotonicTime CapturedAt => throw new NotImplementedException();

    /// <summary>True if the frame holds an IDR picture with its parameter sets.</summary>
    public bool IsKeyFrame => throw new NotImplementedException();

    public int PacketCount => throw new NotImplementedException();

    /// <summary>All payload bytes together.</summary>
    public int TotalBytes => throw new NotImplementedException();

    /// <summary>The RTP payload of one packet; the last has the marker bit.</summary>
    public ReadOnlySpan<byte> GetPayload(int index) => throw new NotImplementedException();

    public void AddReference() => throw new NotImplementedException();

    /// <summary>Drops one reference; the last returns the frame to its pool.</summary>
    public void Release() => throw new NotImplementedException();
}
