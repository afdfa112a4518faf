namespace Agent.Rtc.Srtp;

/// <summary>
/// SRTP and SRTCP protection of one direction of one session (RFC 3711, RFC 7714): all SSRCs that are sent, or all that are
/// received, under one master key. No allocation per packet. Not thread-safe.
/// </summary>
public sealed class SrtpContext : IDisposable
{
    /// <param name="profile">The negotiated profile.</param>
    /// <param name="masterKey">16 bytes.</param>
    /// <param name="masterSalt">14 bytes for AES-CM, 12 for AES-GCM.</param>
    public SrtpContext(SrtpProfile profile, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt)
    {
        _ = profile;
        _ = masterKey;
        _ = masterSalt;
    }

    /// <summary>Bytes of keying material that RFC 5764 §4.2 exports for both directions: 2 × (key + salt).</summary>
    public static int GetKeyingMaterialLength(SrtpProfile profile) => throw new NotImplementedException();

    /// <summary>Splits exported keying material into the contexts for sending and receiving (RFC 5764 §4.2 order).</summary>
    public static (SrtpContext Send, SrtpContext Receive) FromKeyingMaterial(SrtpProfile profile, ReadOnlySpan<byte> keyingMaterial, bool isClient) =>
        throw new NotImplementedException();

    /// <summary>Bytes that protection adds at most, to RTP or RTCP.</summary>
    public const int MaximumOverhead = 4 + 16;

    /// <summary>Protects an RTP packet in place.</summary>
    /// <param name="buffer">The packet, then at least <see cref="MaximumOverhead"/> spare bytes.</param>
    /// <param name="length">Bytes of RTP packet.</param>
    /// <returns>Bytes of SRTP packet.</returns>
    public int ProtectRtp(Span<byte> buffer, int length) => throw new NotImplementedException();

    public int ProtectRtcp(Span<byte> buffer, int length) => throw new NotImplementedException();

    /// <summary>Checks and decrypts in place; false for a packet that is malformed, replayed or not authentic.</summary>
    public bool TryUnprotectRtp(Span<byte> packet, out int length) => throw new NotImplementedException();

    public bool TryUnprotectRtcp(Span<byte> packet, out int length) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
