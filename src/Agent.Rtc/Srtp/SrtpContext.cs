using System.Buffers.Binary;
using System.Security.Cryptography;
using Agent.Rtc.Rtcp;
using Agent.Rtc.Rtp;

namespace Agent.Rtc.Srtp;

/// <summary>
/// SRTP and SRTCP protection of one direction of one session (RFC 3711, RFC 7714): all SSRCs that are sent, or all that are
/// received, under one master key. No allocation per packet. Not thread-safe.
/// </summary>
public sealed class SrtpContext : IDisposable
{
    /// <summary>Bytes that protection adds at most, to RTP or RTCP.</summary>
    public const int MaximumOverhead = 4 + 16;

    /// <summary>
    /// SSRCs with state in one context. A video, its RTX and a few reporters need fewer; the cap keeps a peer from growing the state.
    /// </summary>
    internal const int MaximumStreams = 16;

    /// <summary>RFC 3711 §3.4: "this SRTCP packet is encrypted".</summary>
    private const uint EncryptedFlag = 0x8000_0000;

    /// <summary>RFC 3711 §3.3: the packet index is 32 bits of rollover counter and 16 bits of sequence number.</summary>
    private const int RolloverShift = 16;
    private const long IndexLimit = 1L << 48;

    private readonly SrtpCipher _rtp;
    private readonly SrtpCipher _rtcp;
    private readonly Stream[] _streams = new Stream[MaximumStreams];
    private int _streamCount;

    /// <param name="profile">The negotiated profile.</param>
    /// <param name="masterKey">16 bytes.</param>
    /// <param name="masterSalt">14 bytes for AES-CM, 12 for AES-GCM.</param>
    /// <exception cref="ArgumentException">Key or salt has the wrong length.</exception>
    public SrtpContext(SrtpProfile profile, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt)
    {
        var (keyLength, saltLength) = GetLengths(profile);
        if (masterKey.Length != keyLength || masterSalt.Length != saltLength)
        {
            throw new ArgumentException(
                $"{profile} takes a key of {keyLength} and a salt of {saltLength} bytes, not {masterKey.Length} and {masterSalt.Length}.");
        }

        _rtp = CreateCipher(profile, masterKey, masterSalt, isRtcp: false);
        _rtcp = CreateCipher(profile, masterKey, masterSalt, isRtcp: true);
    }

    /// <summary>Takes session keys that are already derived, as the vectors of RFC 7714 give them.</summary>
    internal SrtpContext(SrtpCipher rtp, SrtpCipher rtcp)
    {
        _rtp = rtp;
        _rtcp = rtcp;
    }

    /// <summary>Bytes of keying material that RFC 5764 §4.2 exports for both directions: 2 × (key + salt).</summary>
    public static int GetKeyingMaterialLength(SrtpProfile profile)
    {
        var (key, salt) = GetLengths(profile);
        return 2 * (key + salt);
    }

    /// <summary>Splits exported keying material into the contexts for sending and receiving (RFC 5764 §4.2 order).</summary>
    /// <param name="profile">The negotiated profile.</param>
    /// <param name="keyingMaterial"><see cref="GetKeyingMaterialLength"/> bytes: client key, server key, client salt, server salt.</param>
    /// <param name="isClient">Whether this side is the DTLS client.</param>
    public static (SrtpContext Send, SrtpContext Receive) FromKeyingMaterial(SrtpProfile profile, ReadOnlySpan<byte> keyingMaterial, bool isClient)
    {
        var (key, salt) = GetLengths(profile);
        if (keyingMaterial.Length != 2 * (key + salt))
            throw new ArgumentException($"{profile} takes {2 * (key + salt)} bytes of keying material, not {keyingMaterial.Length}.", nameof(keyingMaterial));

        var client = new SrtpContext(profile, keyingMaterial[..key], keyingMaterial.Slice(2 * key, salt));
        var server = new SrtpContext(profile, keyingMaterial.Slice(key, key), keyingMaterial.Slice(2 * key + salt, salt));
        return isClient ? (client, server) : (server, client);
    }

    /// <summary>
    /// Protects an RTP packet in place. A sequence number may be protected again only with the very same packet (a plain
    /// retransmission): another packet under it would reuse the keystream (RFC 3711 §9.1).
    /// </summary>
    /// <param name="buffer">The packet, then at least <see cref="MaximumOverhead"/> spare bytes.</param>
    /// <param name="length">Bytes of RTP packet.</param>
    /// <returns>Bytes of SRTP packet.</returns>
    /// <exception cref="ArgumentException">The buffer does not hold an RTP packet.</exception>
    public int ProtectRtp(Span<byte> buffer, int length)
    {
        if (!RtpHeader.TryParse(buffer[..length], out var header, out var headerLength))
            throw new ArgumentException("The buffer does not hold an RTP packet.", nameof(buffer));

        var stream = Find(header.Ssrc) ?? Add(header.Ssrc)
            ?? throw new InvalidOperationException($"An SRTP context sends at most {MaximumStreams} SSRCs; raise {nameof(MaximumStreams)}.");
        var index = stream.GetIndex(header.SequenceNumber);
        if (index is < 0 or >= IndexLimit)
            throw new InvalidOperationException($"SRTP packet index {index} is outside 48 bits: the sequence number went back before the first packet, or the key is used up.");

        Span<byte> trailer = stackalloc byte[SrtpCipher.TrailerLength];
        BinaryPrimitives.WriteUInt32BigEndian(trailer, (uint)(index >> RolloverShift));
        _rtp.Protect(buffer[..headerLength], buffer[headerLength..length], trailer, header.Ssrc, index, buffer.Slice(length, _rtp.TagLength));
        stream.Advance(index);
        return length + _rtp.TagLength;
    }

    /// <summary>Protects an RTCP compound packet in place; always encrypted (E flag set).</summary>
    /// <param name="buffer">The packet, then at least <see cref="MaximumOverhead"/> spare bytes.</param>
    /// <param name="length">Bytes of RTCP packet, at least 8.</param>
    /// <returns>Bytes of SRTCP packet.</returns>
    public int ProtectRtcp(Span<byte> buffer, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, RtcpHeader.MinimumLengthWithSsrc);
        var ssrc = RtcpHeader.ReadSsrc(buffer);
        var stream = Find(ssrc) ?? Add(ssrc)
            ?? throw new InvalidOperationException($"An SRTP context sends at most {MaximumStreams} SSRCs; raise {nameof(MaximumStreams)}.");
        var index = stream.NextRtcpIndex++;
        if ((index & EncryptedFlag) != 0)
            throw new InvalidOperationException("The SRTCP index is used up (RFC 3711 §9.2): the session needs new keys.");

        var trailer = GetRtcpTrailer(buffer[length..]);
        BinaryPrimitives.WriteUInt32BigEndian(trailer, index | EncryptedFlag);
        _rtcp.Protect(
            buffer[..RtcpHeader.MinimumLengthWithSsrc], buffer[RtcpHeader.MinimumLengthWithSsrc..length], trailer, ssrc, index, GetRtcpTag(buffer[length..]));
        return length + _rtcp.TagLength + SrtpCipher.TrailerLength;
    }

    /// <summary>Checks and decrypts in place; false for a packet that is malformed, replayed or not authentic.</summary>
    public bool TryUnprotectRtp(Span<byte> packet, out int length)
    {
        length = 0;
        var end = packet.Length - _rtp.TagLength;
        if (end < 0 || !RtpHeader.TryParse(packet[..end], out var header, out var headerLength))
            return false;

        var stream = Find(header.Ssrc);
        var index = stream?.GetIndex(header.SequenceNumber) ?? header.SequenceNumber;
        if (index is < 0 or >= IndexLimit || (stream is null ? _streamCount == MaximumStreams : stream.Rtp.IsReplay(index)))
            return false;

        Span<byte> trailer = stackalloc byte[SrtpCipher.TrailerLength];
        BinaryPrimitives.WriteUInt32BigEndian(trailer, (uint)(index >> RolloverShift));
        if (!_rtp.TryUnprotect(packet[..headerLength], packet[headerLength..end], trailer, header.Ssrc, index, packet[end..]))
            return false;

        stream ??= Add(header.Ssrc)!;
        stream.Rtp.Accept(index);
        stream.Advance(index);
        length = end;
        return true;
    }

    /// <summary>
    /// Checks and decrypts in place; false for a packet that is malformed, replayed, not authentic, or not encrypted though both
    /// profiles encrypt (RFC 5764 §4.1.2).
    /// </summary>
    public bool TryUnprotectRtcp(Span<byte> packet, out int length)
    {
        length = 0;
        var end = packet.Length - _rtcp.TagLength - SrtpCipher.TrailerLength;
        if (end < RtcpHeader.MinimumLengthWithSsrc || !RtcpHeader.HasVersion2(packet))
            return false;

        var ssrc = RtcpHeader.ReadSsrc(packet);
        var trailer = GetRtcpTrailer(packet[end..]);
        var word = BinaryPrimitives.ReadUInt32BigEndian(trailer);
        var index = word & ~EncryptedFlag;
        var stream = Find(ssrc);
        if ((word & EncryptedFlag) == 0 || (stream is null ? _streamCount == MaximumStreams : stream.Rtcp.IsReplay(index)))
            return false;

        var header = packet[..RtcpHeader.MinimumLengthWithSsrc];
        if (!_rtcp.TryUnprotect(header, packet[RtcpHeader.MinimumLengthWithSsrc..end], trailer, ssrc, index, GetRtcpTag(packet[end..])))
            return false;

        stream ??= Add(ssrc)!;
        stream.Rtcp.Accept(index);
        length = end;
        return true;
    }

    public void Dispose()
    {
        _rtp.Dispose();
        _rtcp.Dispose();
    }

    private static (int Key, int Salt) GetLengths(SrtpProfile profile) => profile switch
    {
        SrtpProfile.AesCm128HmacSha1_80 => (AesCmHmacSha1Cipher.KeyLength, AesCmHmacSha1Cipher.SaltLength),
        SrtpProfile.AeadAes128Gcm => (AeadAesGcmCipher.KeyLength, AeadAesGcmCipher.SaltLength),
        _ => throw new ArgumentOutOfRangeException(nameof(profile), profile, "No such SRTP profile here."),
    };

    private static SrtpCipher CreateCipher(SrtpProfile profile, ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt, bool isRtcp)
    {
        var offset = isRtcp ? SrtpKeyDerivation.RtcpLabelOffset : (byte)0;
        var (keyLength, saltLength) = GetLengths(profile);
        Span<byte> keys = stackalloc byte[keyLength + saltLength + AesCmHmacSha1Cipher.AuthenticationKeyLength];
        var key = keys[..keyLength];
        var salt = keys.Slice(keyLength, saltLength);
        var authenticationKey = keys[(keyLength + saltLength)..];
        SrtpKeyDerivation.Derive(masterKey, masterSalt, (byte)(SrtpKeyDerivation.RtpEncryptionLabel + offset), key);
        SrtpKeyDerivation.Derive(masterKey, masterSalt, (byte)(SrtpKeyDerivation.RtpSaltLabel + offset), salt);
        SrtpKeyDerivation.Derive(masterKey, masterSalt, (byte)(SrtpKeyDerivation.RtpAuthenticationLabel + offset), authenticationKey);
        SrtpCipher cipher = profile == SrtpProfile.AeadAes128Gcm
            ? new AeadAesGcmCipher(key, salt, authenticateTrailer: isRtcp)
            : new AesCmHmacSha1Cipher(key, salt, authenticationKey);
        CryptographicOperations.ZeroMemory(keys);
        return cipher;
    }

    /// <summary>The tag within what follows the RTCP packet.</summary>
    private Span<byte> GetRtcpTag(Span<byte> end) => end.Slice(_rtcp.TagPrecedesSrtcpIndex ? 0 : SrtpCipher.TrailerLength, _rtcp.TagLength);

    /// <summary>E flag and index within what follows the RTCP packet.</summary>
    private Span<byte> GetRtcpTrailer(Span<byte> end) => end.Slice(_rtcp.TagPrecedesSrtcpIndex ? _rtcp.TagLength : 0, SrtpCipher.TrailerLength);

    private Stream? Find(uint ssrc)
    {
        for (var i = 0; i < _streamCount; i++)
        {
            if (_streams[i].Ssrc == ssrc)
                return _streams[i];
        }

        return null;
    }

    private Stream? Add(uint ssrc) =>
        _streamCount == MaximumStreams ? null : _streams[_streamCount++] = new Stream(ssrc);

    /// <summary>What is remembered of one SSRC.</summary>
    private sealed class Stream(uint ssrc)
    {
        public ReplayWindow Rtp;
        public ReplayWindow Rtcp;

        /// <summary>Zero for the first packet (RFC 3711 §3.4).</summary>
        public uint NextRtcpIndex;
        private long _highest = -1;

        public uint Ssrc => ssrc;

        /// <summary>The index nearest to the highest one so far (RFC 3711 §3.3.1); negative if that is before the first packet.</summary>
        public long GetIndex(ushort sequenceNumber) =>
            _highest < 0 ? sequenceNumber : _highest + (short)(sequenceNumber - (ushort)_highest);

        public void Advance(long index) => _highest = Math.Max(_highest, index);
    }
}
