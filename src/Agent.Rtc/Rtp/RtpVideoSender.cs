namespace Agent.Rtc.Rtp;

/// <summary>What SDP settled for the video sent to one viewer.</summary>
/// <param name="Ssrc">Media SSRC.</param>
/// <param name="RtxSsrc">RTX SSRC (RFC 4588 SSRC multiplexing); used only if <paramref name="RtxPayloadType"/> is set.</param>
/// <param name="PayloadType">H.264 payload type.</param>
/// <param name="RtxPayloadType">RTX payload type, or <c>null</c> if the peer has none.</param>
/// <param name="Cname">RFC 7022 CNAME.</param>
/// <param name="Mid">The mid and the id of its header extension (RFC 8843 §15), or <c>null</c>.</param>
/// <param name="MidExtensionId">1 to 14, or 0 for none.</param>
/// <param name="ReducedSizeRtcp">Whether a=rtcp-rsize was agreed (RFC 5506).</param>
public sealed record RtpVideoSenderOptions(
    uint Ssrc, uint RtxSsrc, byte PayloadType, byte? RtxPayloadType, string Cname, string? Mid, byte MidExtensionId, bool ReducedSizeRtcp);

/// <summary>Counters of one viewer's video, for the status and the metrics.</summary>
public readonly record struct RtpVideoSenderStatistics(
    long PacketsSent, long BytesSent, long FramesSent, long FramesDropped, long KeyFramesSent, long PacketsRetransmitted, long NacksReceived,
    long PlisReceived, long FirsReceived, double FractionLost, long CumulativeLost, TimeSpan? Jitter, TimeSpan? RoundTripTime, long MalformedRtcp);

/// <summary>
/// The RTP and RTCP side of one viewer's video: queued frames out as RTP packets on demand, history for NACK, RTX, sender reports,
/// feedback in. Packets are written without protection; the session protects them. Sans-IO, not thread-safe.
/// </summary>
public sealed class RtpVideoSender
{
    public RtpVideoSender(RtpVideoSenderOptions options, IRandomSource random, MonotonicTime now)
    {
        _ = options;
        _ = random;
        _ = now;
    }

    /// <summary>True once after the peer (PLI, FIR) or the queue (overflow, first frame) needs an IDR; reading clears it.</summary>
    public bool TakeKeyFrameRequest() => throw new NotImplementedException();

    /// <summary>
    /// Queues a frame (takes its own reference). Before the first IDR, and after the queue has overflowed, frames are dropped and
    /// counted until the next IDR.
    /// </summary>
    public void WriteFrame(PacketizedFrame frame, MonotonicTime now) => throw new NotImplementedException();

    /// <summary>Writes the next RTP packet (retransmissions first, then queued frames); false when nothing is due.</summary>
    public bool TryWriteRtp(Span<byte> buffer, MonotonicTime now, out int length) => throw new NotImplementedException();

    /// <summary>Writes the next RTCP compound packet when one is due (SR + SDES; BYE after <see cref="Close"/>).</summary>
    public bool TryWriteRtcp(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length) => throw new NotImplementedException();

    /// <summary>Takes a decrypted RTCP packet; malformed parts are counted and ignored.</summary>
    public void HandleRtcp(ReadOnlySpan<byte> packet, MonotonicTime now) => throw new NotImplementedException();

    public MonotonicTime NextTimeout => throw new NotImplementedException();

    public void HandleTimeout(MonotonicTime now) => throw new NotImplementedException();

    public RtpVideoSenderStatistics GetStatistics() => throw new NotImplementedException();

    /// <summary>The peer said BYE.</summary>
    public bool RemoteSaidBye => throw new NotImplementedException();

    /// <summary>Releases every frame held and makes a BYE due.</summary>
    public void Close() => throw new NotImplementedException();
}
