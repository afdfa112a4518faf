using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Agent.Rtc.Srtp;

/// <summary>AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4.1.1, §4.2.1; RFC 5764 §4.1.2).</summary>
internal sealed class AesCmHmacSha1Cipher : SrtpCipher
{
    public const int KeyLength = 16;
    public const int SaltLength = 14;

    /// <summary>n_a of RFC 3711 §8.2.</summary>
    public const int AuthenticationKeyLength = 20;

    // RFC 3711 §4.1.1: where salt, SSRC and index stand in the 128-bit IV.
    private const int SaltShift = 16;
    private const int SsrcShift = 64;
    private const int IndexShift = 16;

    private readonly AesCounterMode _aes;
    private readonly IncrementalHash _hmac;
    private readonly UInt128 _salt;

    public AesCmHmacSha1Cipher(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> authenticationKey)
    {
        Span<byte> block = stackalloc byte[AesCounterMode.BlockLength];
        block.Clear();
        salt.CopyTo(block[^SaltLength..]);
        _salt = BinaryPrimitives.ReadUInt128BigEndian(block) << SaltShift;
        _aes = new AesCounterMode(key);
        _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, authenticationKey);
    }

    public override int TagLength => 10;

    public override bool TagPrecedesSrtcpIndex => false;

    public override void Protect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, Span<byte> tag)
    {
        _aes.Apply(GetIv(ssrc, index), payload);
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        Authenticate(header, payload, trailer, digest);
        digest[..TagLength].CopyTo(tag);
    }

    public override bool TryUnprotect(
        ReadOnlySpan<byte> header, Span<byte> payload, ReadOnlySpan<byte> trailer, uint ssrc, long index, ReadOnlySpan<byte> tag)
    {
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        Authenticate(header, payload, trailer, digest);
        if (!CryptographicOperations.FixedTimeEquals(digest[..TagLength], tag))
            return false;

        _aes.Apply(GetIv(ssrc, index), payload);
        return true;
    }

    public override void Dispose()
    {
        _aes.Dispose();
        _hmac.Dispose();
    }

    private UInt128 GetIv(uint ssrc, long index) => _salt ^ (UInt128)ssrc << SsrcShift ^ (UInt128)(ulong)index << IndexShift;

    private void Authenticate(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> trailer, Span<byte> digest)
    {
        _hmac.AppendData(header);
        _hmac.AppendData(payload);
        _hmac.AppendData(trailer);
        _hmac.GetHashAndReset(digest);
    }
}
