namespace Agent.Rtc.Srtp;

/// <summary>DTLS-SRTP protection profiles by their IANA number (RFC 5764 §4.1.2, RFC 7714 §14.2).</summary>
public enum SrtpProfile : ushort
{
    None = 0,
    AesCm128HmacSha1_80 = 0x0001,
    AeadAes128Gcm = 0x0007,
}
