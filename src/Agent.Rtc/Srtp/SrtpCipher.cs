namespace Agent.Rtc.Srtp;

/// <summary>
/// One transform of RFC 3711 or RFC 7714 with the session keys of either RTP or RTCP. Header and trailer are authenticated, the
/// payload is encrypted as well.
/// </summary>
internal abstract class SrtpCipher : IDisposable
{
    /// <summary>Bytes of the rollover counter, and of SRTCP's E flag with index.</summary>
    public const int TrailerLength = 4;

    public abstract int TagLength { get; }

    /// <summary>Whether an SRTCP packet ends with tag then index (RFC 7714 §9.2), not index then tag (RFC 3711 §3.4).</summary>
    public abstract bool TagPrecedesSrtcpIndex { get; }

    /// <summary>Encrypts the payload in place and writes the tag.</summary>
    /// <param name="header">What is sent in the clear.</param>
    /// <param name="payload">What is encrypted.</param>
    /// <param name="trailer">RTP: the rollover counter. RTCP: E flag and index.</param>
    /// <param name="ssrc">The packet's SSRC.</param>
    /// <param name="index">48-bit packet index of RTP, 31-bit index of RTCP.</param>
    /// <param name="tag"><see cref="TagLength"/> bytes.</param>
    public abstract void Protect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, Span<byte> tag);

    /// <summary>Checks the tag and, only if it is right, decrypts the payload in place.</summary>
    public abstract bool TryUnprotect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, ReadOnlySpan<byte> tag);

    public abstract void Dispose();
}
