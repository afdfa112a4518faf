using System.Net;
using System.Runtime.InteropServices;
using Agent.Interop.Libc;

namespace Agent.Interop.Tests.Libc;

/// <summary>rtnetlink messages as Linux sends them (captured with strace from ip(8)), cut at every length, and at random.</summary>
public sealed class RouteMessageTests
{
    /// <summary>RTM_NEWADDR of 192.0.2.7/24 on interface 3: IFA_ADDRESS, IFA_LOCAL, IFA_LABEL "eth0", IFA_FLAGS permanent.</summary>
    private static readonly byte[] NewIPv4 = Convert.FromHexString(
        "3c000000" + "1400" + "0000" + "00000000" + "00000000" + "02188000" + "03000000"
        + "08000100c0000207" + "08000200c0000207" + "09000300" + "6574683000000000" + "0800080080000000");

    /// <summary>RTM_NEWADDR of 2001:db8::7/64 on interface 3, tentative in IFA_FLAGS.</summary>
    private static readonly byte[] NewIPv6 = Convert.FromHexString(
        "34000000" + "1400" + "0000" + "00000000" + "00000000" + "0a40c000" + "03000000"
        + "14000100" + "20010db8000000000000000000000007" + "08000800c0000000");

    /// <summary>RTM_NEWLINK of interface 3 (up, broadcast, running, multicast, lower up), without attributes.</summary>
    private static readonly byte[] NewLink = Convert.FromHexString(
        "20000000" + "1000" + "0000" + "00000000" + "00000000" + "00000100" + "03000000" + "43100100" + "00000000");

    [Fact]
    public void An_IPv4_address_is_read()
    {
        Assert.True(RouteMessage.TryRead(NewIPv4, out var message, out var consumed));
        Assert.Equal((RouteMessageKind.AddressAdded, 3, true, NewIPv4.Length), (message.Kind, message.Index, message.IsUsable, consumed));
        Assert.Equal("192.0.2.7", new IPAddress(message.Address).ToString());
    }

    /// <summary>Of a point-to-point interface IFA_ADDRESS is the peer's.</summary>
    [Fact]
    public void The_local_address_is_taken_and_not_the_peers()
    {
        var pointToPoint = (byte[])NewIPv4.Clone();
        pointToPoint[31] = 8; // IFA_ADDRESS 192.0.2.8
        Assert.True(RouteMessage.TryRead(pointToPoint, out var message, out _));
        Assert.Equal("192.0.2.7", new IPAddress(message.Address).ToString());
    }

    [Theory]
    [InlineData(0x80, true)] // IFA_F_PERMANENT
    [InlineData(0x01, true)] // IFA_F_TEMPORARY
    [InlineData(0xC0, false)] // tentative
    [InlineData(0xA0, false)] // deprecated
    [InlineData(0x88, false)] // a duplicate
    public void Addresses_that_must_not_be_used_are_told_apart(byte flags, bool usable)
    {
        var bytes = (byte[])NewIPv6.Clone();
        bytes[48] = flags;
        Assert.True(RouteMessage.TryRead(bytes, out var message, out _));
        Assert.Equal(usable, message.IsUsable);
        Assert.Equal("2001:db8::7", new IPAddress(message.Address).ToString());
    }

    [Theory]
    [InlineData(0x43, true)]
    [InlineData(0x03, false)] // no carrier
    [InlineData(0x42, false)] // down
    public void A_link_that_cannot_carry_packets_is_told_apart(byte flags, bool running)
    {
        var bytes = (byte[])NewLink.Clone();
        bytes[24] = flags;
        Assert.True(RouteMessage.TryRead(bytes, out var message, out _));
        Assert.Equal((RouteMessageKind.LinkChanged, 3, running), (message.Kind, message.Index, message.IsRunning));
    }

    [Fact]
    public void Messages_are_read_one_after_another_and_cut_ones_are_none()
    {
        byte[] both = [.. NewLink, .. NewIPv6];
        for (var length = 0; length <= both.Length; length++)
        {
            var rest = both.AsSpan(0, length);
            var count = 0;
            for (; RouteMessage.TryRead(rest, out _, out var consumed); rest = rest[consumed..])
                count++;
            Assert.Equal(length == both.Length ? 2 : length >= NewLink.Length ? 1 : 0, count);
        }
    }

    /// <summary>A message whose own length is shorter than its attributes, at every length: no exception, no address that is not there.</summary>
    [Fact]
    public void A_message_that_ends_within_an_attribute_has_no_such_attribute()
    {
        for (var length = 16; length <= NewIPv6.Length; length++)
        {
            var bytes = NewIPv6[..length];
            MemoryMarshal.Write(bytes, (uint)length);
            Assert.True(RouteMessage.TryRead(bytes, out var message, out _));
            Assert.Equal(length >= 44, message.Kind == RouteMessageKind.AddressAdded);
        }
    }

    [Fact]
    public void Random_bytes_do_not_throw_and_always_come_to_an_end()
    {
        var random = new Random(11);
        byte[][] seeds = [NewIPv4, NewIPv6, NewLink];
        for (var round = 0; round < 100_000; round++)
        {
            byte[] bytes = [.. seeds[round % 3], .. seeds[random.Next(3)]];
            for (var i = 0; i < 3; i++)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            ReadOnlySpan<byte> rest = bytes;
            while (RouteMessage.TryRead(rest, out var message, out var consumed))
            {
                Assert.True(consumed is > 0 && consumed <= rest.Length && message.Address.Length is 0 or 4 or 16);
                rest = rest[consumed..];
            }
        }
    }
}
