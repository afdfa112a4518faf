using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests.Srtp;

public sealed class SrtpContextTests
{
    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void A_change_of_any_bit_is_found(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var rtp = SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(7, payloadLength: 20));
        var rtcp = SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(7));
        for (var bit = 0; bit < rtp.Length * 8; bit++)
            Assert.Null(SrtpPackets.UnprotectRtp(receiver, Flip(rtp, bit)));

        for (var bit = 0; bit < rtcp.Length * 8; bit++)
            Assert.Null(SrtpPackets.UnprotectRtcp(receiver, Flip(rtcp, bit)));

        Assert.NotNull(SrtpPackets.UnprotectRtp(receiver, rtp));
        Assert.NotNull(SrtpPackets.UnprotectRtcp(receiver, rtcp));
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void A_forged_packet_costs_no_exception_and_no_memory(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var forged = Flip(SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(7)), 100);
        var before = 0L;
        for (var i = 0; i < 1000; i++)
        {
            before = i == 100 ? GC.GetAllocatedBytesForCurrentThread() : before;
            Assert.False(receiver.TryUnprotectRtcp(forged, out _));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void A_packet_cut_anywhere_is_refused(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var rtp = SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(7, payloadLength: 20));
        var rtcp = SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(7));
        for (var length = 0; length < rtp.Length; length++)
            Assert.Null(SrtpPackets.UnprotectRtp(receiver, rtp[..length]));

        for (var length = 0; length < rtcp.Length; length++)
            Assert.Null(SrtpPackets.UnprotectRtcp(receiver, rtcp[..length]));
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Random_mutations_are_refused_and_leave_the_receiver_working(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var random = new Random(20);
        for (var i = 0; i < 500; i++)
        {
            var rtp = SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(i, payloadLength: 20));
            var rtcp = SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(i));

            Assert.Null(SrtpPackets.UnprotectRtp(receiver, Mutate(rtp, random)));
            Assert.Null(SrtpPackets.UnprotectRtcp(receiver, Mutate(rtcp, random)));
            Assert.NotNull(SrtpPackets.UnprotectRtp(receiver, rtp));
            Assert.NotNull(SrtpPackets.UnprotectRtcp(receiver, rtcp));
        }
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Each_packet_is_accepted_once_in_any_order_within_the_window(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        // The first stays first: a receiver learns the rollover counter from it. The rest crosses a rollover.
        const int First = 65_500;
        var rtp = Enumerable.Range(First, ReplayWindow.Width).Select(i => SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(i))).ToArray();
        var rtcp = Enumerable.Range(0, ReplayWindow.Width).Select(i => SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(i))).ToArray();
        new Random(3).Shuffle(rtp.AsSpan(1));
        new Random(4).Shuffle(rtcp);

        Assert.All(rtp, packet => Assert.NotNull(SrtpPackets.UnprotectRtp(receiver, packet)));
        Assert.All(rtcp, packet => Assert.NotNull(SrtpPackets.UnprotectRtcp(receiver, packet)));
        Assert.All(rtp, packet => Assert.Null(SrtpPackets.UnprotectRtp(receiver, packet)));
        Assert.All(rtcp, packet => Assert.Null(SrtpPackets.UnprotectRtcp(receiver, packet)));
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void A_packet_behind_the_window_is_refused(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var late = SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(10));
        var lateRtcp = SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(0));
        for (var i = 1; i <= ReplayWindow.Width; i++)
        {
            Assert.NotNull(SrtpPackets.UnprotectRtp(receiver, SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(10 + i))));
            Assert.NotNull(SrtpPackets.UnprotectRtcp(receiver, SrtpPackets.ProtectRtcp(sender, SrtpPackets.MakeRtcp(i))));
        }

        Assert.Null(SrtpPackets.UnprotectRtp(receiver, late));
        Assert.Null(SrtpPackets.UnprotectRtcp(receiver, lateRtcp));
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void State_is_kept_for_a_limited_number_of_ssrcs(SrtpProfile profile)
    {
        using var receiver = SrtpPackets.MakeContext(profile);
        for (uint ssrc = 0; ssrc <= SrtpContext.MaximumStreams; ssrc++)
        {
            using var sender = SrtpPackets.MakeContext(profile);
            var accepted = SrtpPackets.UnprotectRtp(receiver, SrtpPackets.ProtectRtp(sender, SrtpPackets.MakeRtp(1, ssrc: ssrc)));
            Assert.Equal(ssrc < SrtpContext.MaximumStreams, accepted is not null);
        }
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Client_and_server_split_keying_material_to_match(SrtpProfile profile)
    {
        var material = new byte[SrtpContext.GetKeyingMaterialLength(profile)];
        new Random(5).NextBytes(material);
        var client = SrtpContext.FromKeyingMaterial(profile, material, isClient: true);
        var server = SrtpContext.FromKeyingMaterial(profile, material, isClient: false);
        var packet = SrtpPackets.MakeRtp(1);

        Assert.Equal(packet, SrtpPackets.UnprotectRtp(server.Receive, SrtpPackets.ProtectRtp(client.Send, packet)));
        Assert.Equal(packet, SrtpPackets.UnprotectRtp(client.Receive, SrtpPackets.ProtectRtp(server.Send, packet)));
        Assert.Null(SrtpPackets.UnprotectRtp(client.Receive, SrtpPackets.ProtectRtp(client.Send, packet)));
        foreach (var context in new[] { client.Send, client.Receive, server.Send, server.Receive })
            context.Dispose();
    }

    [Fact]
    public void Keys_of_a_wrong_length_are_named()
    {
        var error = Assert.Throws<ArgumentException>(() => new SrtpContext(SrtpProfile.AeadAes128Gcm, new byte[16], new byte[14]));
        Assert.Contains("salt of 12 bytes, not 16 and 14", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Protection_and_its_removal_allocate_nothing_per_packet(SrtpProfile profile)
    {
        using var sender = SrtpPackets.MakeContext(profile);
        using var receiver = SrtpPackets.MakeContext(profile);
        var buffer = new byte[1500];
        var rtp = SrtpPackets.MakeRtp(0, payloadLength: 1200);
        var rtcp = SrtpPackets.MakeRtcp(0);
        var refused = 0;
        long before = 0;
        for (var i = 0; i < 20_000; i++)
        {
            if (i == 10_000)
                before = GC.GetAllocatedBytesForCurrentThread();

            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(rtp.AsSpan(2), (ushort)i);
            rtp.CopyTo(buffer, 0);
            refused += receiver.TryUnprotectRtp(buffer.AsSpan(0, sender.ProtectRtp(buffer, rtp.Length)), out _) ? 0 : 1;
            rtcp.CopyTo(buffer, 0);
            refused += receiver.TryUnprotectRtcp(buffer.AsSpan(0, sender.ProtectRtcp(buffer, rtcp.Length)), out _) ? 0 : 1;
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(0, refused);
    }

    private static byte[] Flip(byte[] packet, int bit)
    {
        var copy = packet.ToArray();
        copy[bit / 8] ^= (byte)(1 << bit % 8);
        return copy;
    }

    private static byte[] Mutate(byte[] packet, Random random)
    {
        var copy = packet.ToArray();
        for (var i = random.Next(1, 4); i > 0; i--)
            copy[random.Next(copy.Length)] ^= (byte)random.Next(1, 256);

        return copy.AsSpan().SequenceEqual(packet) ? Flip(packet, 0) : copy;
    }
}
