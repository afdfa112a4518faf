using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Agent.Rtc.Sctp;

/// <summary>
/// The state cookie (RFC 9260 §5.1.3): what the peer's INIT said and when, with a MAC, so that an INIT costs this side no memory and a
/// COOKIE ECHO cannot be made up.
/// </summary>
internal readonly struct SctpCookie
{
    public const int Length = ContentLength + HMACSHA256.HashSizeInBytes;
    public const int KeyLength = 32;

    private const int FlagsOffset = SctpInit.FixedLength;
    private const int TimeOffset = FlagsOffset + 1;
    private const int ContentLength = TimeOffset + sizeof(long);

    /// <summary>RFC 9260 §16: Valid.Cookie.Life.</summary>
    private static readonly TimeSpan s_life = TimeSpan.FromSeconds(60);

    public static void Write(Span<byte> cookie, in SctpInit peer, ReadOnlySpan<byte> key, MonotonicTime now)
    {
        peer.WriteFixed(cookie);
        cookie[FlagsOffset] = (byte)((peer.HasForwardTsn ? 1 : 0) | (peer.HasReConfig ? 2 : 0));
        BinaryPrimitives.WriteInt64BigEndian(cookie[TimeOffset..], now.Ticks);
        HMACSHA256.HashData(key, cookie[..ContentLength], cookie[ContentLength..]);
    }

    public static bool TryRead(ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> key, MonotonicTime now, out SctpInit peer)
    {
        peer = default;
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (cookie.Length != Length) return false;
        HMACSHA256.HashData(key, cookie[..ContentLength], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, cookie[ContentLength..])) return false;
        var createdAt = new MonotonicTime(BinaryPrimitives.ReadInt64BigEndian(cookie[TimeOffset..]));
        if (now - createdAt > s_life || !SctpInit.TryRead(cookie[..SctpInit.FixedLength], out peer, out _)) return false;
        peer = peer with { HasForwardTsn = (cookie[FlagsOffset] & 1) != 0, HasReConfig = (cookie[FlagsOffset] & 2) != 0 };
        return true;
    }
}
