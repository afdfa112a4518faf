using System.Buffers.Binary;
using Agent.Rtc.Rtp;
using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests.Srtp;

/// <summary>Packets and contexts that the SRTP tests share.</summary>
internal static class SrtpPackets
{
    public const uint Ssrc = 0x1234_5678;

    public static TheoryData<SrtpProfile> Profiles => [SrtpProfile.AesCm128HmacSha1_80, SrtpProfile.AeadAes128Gcm];

    /// <summary>Master key and salt of the profile, of a seed.</summary>
    public static byte[] MakeKey(SrtpProfile profile, int seed = 1)
    {
        var key = new byte[SrtpContext.GetKeyingMaterialLength(profile) / 2];
        new Random(seed).NextBytes(key);
        return key;
    }

    public static SrtpContext MakeContext(SrtpProfile profile, int seed = 1)
    {
        var key = MakeKey(profile, seed);
        return new SrtpContext(profile, key.AsSpan(0, 16), key.AsSpan(16));
    }

    public static byte[] MakeRtp(int sequence, int payloadLength = 100, uint ssrc = Ssrc)
    {
        var packet = new byte[RtpHeader.FixedLength + 8 + payloadLength];
        var header = new RtpHeader(true, 96, (ushort)sequence, 90_000, ssrc);
        new RtpHeaderWriter(new RtpExtensionIds { Mid = 1 }, "0", default).Write(packet, header, 0, default, 0);
        new Random(sequence).NextBytes(packet.AsSpan(RtpHeader.FixedLength + 8));
        return packet;
    }

    /// <summary>An SR without report blocks.</summary>
    public static byte[] MakeRtcp(int seed, uint ssrc = Ssrc)
    {
        var packet = new byte[28];
        new Random(seed).NextBytes(packet);
        packet[0] = 0x80;
        packet[1] = 200;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), 6);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), ssrc);
        return packet;
    }

    public static byte[] ProtectRtp(SrtpContext context, byte[] packet)
    {
        var buffer = new byte[packet.Length + SrtpContext.MaximumOverhead];
        packet.CopyTo(buffer, 0);
        return buffer[..context.ProtectRtp(buffer, packet.Length)];
    }

    public static byte[] ProtectRtcp(SrtpContext context, byte[] packet)
    {
        var buffer = new byte[packet.Length + SrtpContext.MaximumOverhead];
        packet.CopyTo(buffer, 0);
        return buffer[..context.ProtectRtcp(buffer, packet.Length)];
    }

    /// <summary>The packet, or <c>null</c> if it was refused; the argument is left alone.</summary>
    public static byte[]? UnprotectRtp(SrtpContext context, byte[] packet)
    {
        var copy = packet.ToArray();
        return context.TryUnprotectRtp(copy, out var length) ? copy[..length] : null;
    }

    /// <summary>The packet, or <c>null</c> if it was refused; the argument is left alone.</summary>
    public static byte[]? UnprotectRtcp(SrtpContext context, byte[] packet)
    {
        var copy = packet.ToArray();
        return context.TryUnprotectRtcp(copy, out var length) ? copy[..length] : null;
    }
}
