using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests.Srtp;

/// <summary>Packets to and from libsrtp2, byte for byte.</summary>
public sealed class LibSrtpInteropTests
{
    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Rtp_is_protected_as_libsrtp_does_across_rollovers(SrtpProfile profile)
    {
        using var context = SrtpPackets.MakeContext(profile);
        using var peer = new LibSrtp(profile, SrtpPackets.MakeKey(profile));

        // Steps of 10007 pass the 16-bit limit six times; lengths run over the block boundaries.
        for (var i = 0; i < 40; i++)
        {
            var packet = SrtpPackets.MakeRtp(i * 10_007, payloadLength: i * 33);
            var protectedPacket = SrtpPackets.ProtectRtp(context, packet);

            Assert.Equal(peer.Run("protect rtp", packet), protectedPacket);
            Assert.Equal(packet, peer.Run("unprotect rtp", protectedPacket));
        }
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Rtp_of_libsrtp_is_understood_across_rollovers(SrtpProfile profile)
    {
        using var context = SrtpPackets.MakeContext(profile);
        using var peer = new LibSrtp(profile, SrtpPackets.MakeKey(profile));
        for (var i = 0; i < 40; i++)
        {
            var packet = SrtpPackets.MakeRtp(i * 10_007, payloadLength: i * 33);

            Assert.Equal(packet, SrtpPackets.UnprotectRtp(context, peer.Run("protect rtp", packet)!));
        }
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Rtcp_goes_both_ways(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        using var peer = new LibSrtp(profile, SrtpPackets.MakeKey(profile));
        for (var i = 0; i < 20; i++)
        {
            var packet = SrtpPackets.MakeRtcp(i);

            Assert.Equal(packet, peer.Run("unprotect rtcp", SrtpPackets.ProtectRtcp(sender, packet)));
            Assert.Equal(packet, SrtpPackets.UnprotectRtcp(receiver, peer.Run("protect rtcp", packet)!));
        }
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void A_plain_retransmission_is_the_same_packet_again(SrtpProfile profile)
    {
        using var context = SrtpPackets.MakeContext(profile);
        using var peer = new LibSrtp(profile, SrtpPackets.MakeKey(profile));
        var first = SrtpPackets.ProtectRtp(context, SrtpPackets.MakeRtp(65_534));
        var lost = SrtpPackets.ProtectRtp(context, SrtpPackets.MakeRtp(65_535));
        var afterRollover = SrtpPackets.ProtectRtp(context, SrtpPackets.MakeRtp(65_536));

        var again = SrtpPackets.ProtectRtp(context, SrtpPackets.MakeRtp(65_535));

        Assert.Equal(lost, again);
        Assert.NotNull(peer.Run("unprotect rtp", first));
        Assert.NotNull(peer.Run("unprotect rtp", afterRollover));
        Assert.Equal(SrtpPackets.MakeRtp(65_535), peer.Run("unprotect rtp", again));
    }
}
