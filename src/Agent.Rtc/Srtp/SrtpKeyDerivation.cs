using System.Buffers.Binary;

namespace Agent.Rtc.Srtp;

/// <summary>
/// The key derivation of RFC 3711 §4.3 with the AES-CM PRF and a key derivation rate of zero. RFC 7714 §11 uses the same one.
/// </summary>
internal static class SrtpKeyDerivation
{
    // RFC 3711 §4.3.1 and §4.3.2.
    public const byte RtpEncryptionLabel = 0x00;
    public const byte RtpAuthenticationLabel = 0x01;
    public const byte RtpSaltLabel = 0x02;

    /// <summary>What the label of an RTP key grows by to become the label of the RTCP key of the same purpose.</summary>
    public const byte RtcpLabelOffset = 0x03;

    /// <summary>Length that a shorter master salt is padded to with zeros on its right (RFC 7714 §11).</summary>
    private const int SaltLength = 14;

    /// <summary>Bits that the label is shifted by in key_id: a 48-bit packet index of zero follows it, and the block counter.</summary>
    private const int LabelShift = 48 + 16;

    /// <summary>Fills <paramref name="sessionKey"/> with the session key of that label.</summary>
    public static void Derive(ReadOnlySpan<byte> masterKey, ReadOnlySpan<byte> masterSalt, byte label, Span<byte> sessionKey)
    {
        Span<byte> salt = stackalloc byte[AesCounterMode.BlockLength];
        salt.Clear();
        masterSalt[..Math.Min(masterSalt.Length, SaltLength)].CopyTo(salt);
        sessionKey.Clear();
        using var prf = new AesCounterMode(masterKey);
        prf.Apply(BinaryPrimitives.ReadUInt128BigEndian(salt) ^ (UInt128)label << LabelShift, sessionKey);
    }
}
