using System.Buffers.Binary;
using System.Security.Cryptography;
using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Srtp;

/// <summary>AEAD_AES_128_GCM (RFC 7714).</summary>
internal sealed class AeadAesGcmCipher : SrtpCipher
{
    public const int KeyLength = 16;
    public const int SaltLength = 12;
    private const int TagBytes = 16;

    // RFC 7714 §8.1 and §9.1: the IV is 2 zero bytes, SSRC, 6 bytes of index, all xor the salt. For RTP these 6 bytes are ROC and SEQ.
    private const int IvSsrcOffset = 2;
    private const int IvIndexOffset = IvSsrcOffset + sizeof(uint);
    private const int IndexHighShift = 32;

    private readonly AesGcm _aes;
    private readonly byte[] _salt;
    private readonly bool _authenticateTrailer;
    private byte[] _scratch = [];

    /// <param name="key">16 bytes.</param>
    /// <param name="salt">12 bytes.</param>
    /// <param name="authenticateTrailer">
    /// True for RTCP, whose E flag and index are associated data (RFC 7714 §9.2); RTP's rollover counter is only in the IV (§8.2).
    /// </param>
    public AeadAesGcmCipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, bool authenticateTrailer)
    {
        _aes = new AesGcm(key, TagBytes);
        _salt = salt.ToArray();
        _authenticateTrailer = authenticateTrailer;
    }

    public override int TagLength => TagBytes;

    public override bool TagPrecedesSrtcpIndex => true;

    public override void Protect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, Span<byte> tag)
    {
        Span<byte> iv = stackalloc byte[SaltLength];
        WriteIv(iv, ssrc, index);
        Span<byte> associated = stackalloc byte[RtcpHeader.MinimumLengthWithSsrc + TrailerLength];
        _aes.Encrypt(iv, payload, payload, tag, GetAssociatedData(header, trailer, associated));
    }

    /// <inheritdoc/>
    /// <remarks>
    /// The framework's decryption reports a forged packet by an exception, which costs far more than the packet and is for anybody on the
    /// network to cause. So the packet is decrypted and encrypted again, which gives the tag that it should have: GCM's keystream
    /// is the same both ways (NIST SP 800-38D §7), and what is made here never leaves.
    /// </remarks>
    public override bool TryUnprotect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, ReadOnlySpan<byte> tag)
    {
        Span<byte> iv = stackalloc byte[SaltLength];
        WriteIv(iv, ssrc, index);
        Span<byte> associated = stackalloc byte[RtcpHeader.MinimumLengthWithSsrc + TrailerLength];
        if (_scratch.Length < payload.Length)
            _scratch = new byte[payload.Length];

        var plaintext = _scratch.AsSpan(0, payload.Length);
        Span<byte> expected = stackalloc byte[TagBytes];
        _aes.Encrypt(iv, payload, plaintext, expected);
        _aes.Encrypt(iv, plaintext, payload, expected, GetAssociatedData(header, trailer, associated));
        if (!CryptographicOperations.FixedTimeEquals(expected, tag))
            return false;

        plaintext.CopyTo(payload);
        return true;
    }

    public override void Dispose()
    {
        _aes.Dispose();
        CryptographicOperations.ZeroMemory(_salt);
        CryptographicOperations.ZeroMemory(_scratch);
    }

    private ReadOnlySpan<byte> GetAssociatedData(ReadOnlySpan<byte> header, ReadOnlySpan<byte> trailer, Span<byte> scratch)
    {
        if (!_authenticateTrailer)
            return header;

        header.CopyTo(scratch);
        trailer.CopyTo(scratch[RtcpHeader.MinimumLengthWithSsrc..]);
        return scratch;
    }

    private void WriteIv(Span<byte> iv, uint ssrc, long index)
    {
        iv[..IvSsrcOffset].Clear();
        BinaryPrimitives.WriteUInt32BigEndian(iv[IvSsrcOffset..], ssrc);
        BinaryPrimitives.WriteUInt16BigEndian(iv[IvIndexOffset..], (ushort)(index >> IndexHighShift));
        BinaryPrimitives.WriteUInt32BigEndian(iv[(IvIndexOffset + sizeof(ushort))..], (uint)index);
        for (var i = 0; i < iv.Length; i++)
            iv[i] ^= _salt[i];
    }
}
