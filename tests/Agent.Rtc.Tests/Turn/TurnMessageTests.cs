using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Turn;

namespace Agent.Rtc.Tests.Turn;

/// <summary>Messages as coturn 4.6.1 sent them, and every way to cut them short.</summary>
public sealed class TurnMessageTests
{
    public static TheoryData<string> Recorded => new("coturn-allocate-401", "coturn-allocate-success", "coturn-data-indication", "coturn-stale-nonce");

    [Fact]
    public void A_challenge_of_coturn_is_read()
    {
        Assert.True(TurnMessage.TryParse(Read("coturn-allocate-401"), out var message));
        Assert.Equal((StunClass.ErrorResponse, TurnFormat.Allocate, 401), (message.Class, message.Method, message.ErrorCode));
        Assert.Equal("test", System.Text.Encoding.ASCII.GetString(message.Realm));
        Assert.Equal(16, message.Nonce.Length);
        Assert.False(message.HasMessageIntegrity || message.HasUnknownAttribute);
    }

    [Fact]
    public void An_allocation_of_coturn_is_read_and_verified()
    {
        Assert.True(TurnMessage.TryParse(Read("coturn-allocate-success"), out var message));
        Assert.Equal((StunClass.SuccessResponse, TurnFormat.Allocate), (message.Class, message.Method));
        Assert.Equal(TimeSpan.FromMinutes(10), message.Lifetime);
        Assert.Equal("127.0.0.1:50005", message.RelayedIPv4.ToString());
        Assert.Equal("127.0.0.1:18443", message.MappedAddress.ToString());
        Assert.True(message.RelayedIPv6.IsNone);
        var login = new TurnLogin("vector", "north");
        login.Learn("test"u8, "nonce"u8);
        Assert.True(message.VerifyMessageIntegrity(login.Key));
        Assert.False(message.HasUnknownAttribute);
    }

    [Fact]
    public void An_answer_with_both_families_and_one_that_lacks_the_second_are_read()
    {
        var buffer = new byte[200];
        var writer = new StunMessageWriter(buffer, TurnFormat.Allocate, StunClass.SuccessResponse, StunTransactionId.Create(new SeededRandomSource(1)));
        foreach (var address in new[] { "192.0.2.1:50000", "[2001:db8::1]:50002" })
        {
            writer.WriteXorAddress(StunAttributeType.XorRelayedAddress, Ice.IceNode.Parse(address));
        }

        Assert.True(TurnMessage.TryParse(buffer.AsSpan(0, writer.Length), out var both));
        Assert.Equal(("192.0.2.1:50000", "[2001:db8::1]:50002"), (both.RelayedIPv4.ToString(), both.RelayedIPv6.ToString()));
        writer.WriteAttribute(StunAttributeType.AddressErrorCode, [2, 0, 4, 40]); // RFC 8656 §18.12
        Assert.True(TurnMessage.TryParse(buffer.AsSpan(0, writer.Length), out var lacking));
        Assert.Equal((440, false), (lacking.AdditionalFamilyErrorCode, lacking.HasUnknownAttribute));
        writer.WriteUInt32((StunAttributeType)0x0099, 0);
        Assert.True(TurnMessage.TryParse(buffer.AsSpan(0, writer.Length), out var unknown));
        Assert.True(unknown.HasUnknownAttribute);
    }

    [Fact]
    public void A_data_indication_of_coturn_is_read()
    {
        var bytes = Read("coturn-data-indication");
        Assert.True(TurnMessage.TryParse(bytes, out var message));
        Assert.Equal((StunClass.Indication, TurnFormat.Data), (message.Class, message.Method));
        Assert.Equal("127.0.0.1:18500", message.PeerAddress.ToString());
        Assert.Equal("hello"u8, bytes.AsSpan(message.DataOffset, message.DataLength));
    }

    [Theory]
    [MemberData(nameof(Recorded))]
    public void A_message_cut_anywhere_is_refused(string name)
    {
        var whole = Read(name);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.False(TurnMessage.TryParse(whole.AsSpan(0, length), out _));
        }
    }

    [Fact]
    public void Channel_data_is_read_and_refused_when_cut()
    {
        byte[] whole = [0x40, 0x01, 0, 5, 1, 2, 3, 4, 5];
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.False(ChannelData.TryParse(whole.AsSpan(0, length), out _, out _));
        }

        Assert.True(ChannelData.TryParse(whole, out var channel, out var count));
        Assert.Equal((0x4001, 5), (channel, count));
        Assert.False(ChannelData.TryParse([0x50, 0, 0, 0], out _, out _)); // RFC 8656 §12: reserved
        Assert.False(ChannelData.TryParse([0x3F, 0xFF, 0, 0], out _, out _));
    }

    [Fact]
    public void On_a_stream_channel_data_is_padded_and_messages_are_cut_out_however_the_bytes_arrive()
    {
        var padded = new byte[64];
        "hello"u8.CopyTo(padded);
        var length = ChannelData.Wrap(padded, 5, 0x4007, isStream: true);
        Assert.Equal(12, length);
        var stun = Read("coturn-data-indication");
        byte[] stream = [.. padded[..length], .. stun, .. padded[..length], .. stun];
        for (var piece = 1; piece < stream.Length; piece++)
        {
            var reader = new TurnStreamReader();
            var messages = new List<byte[]>();
            for (var position = 0; position < stream.Length; position += piece)
            {
                var part = stream.AsSpan(position, Math.Min(piece, stream.Length - position));
                part.CopyTo(reader.Space);
                reader.Advance(part.Length);
                while (true)
                {
                    Assert.True(reader.TryTake(out var message));
                    if (message.IsEmpty)
                    {
                        break;
                    }

                    messages.Add(message.ToArray());
                }
            }

            Assert.Equal([9, stun.Length, 9, stun.Length], messages.Select(message => message.Length));
            Assert.Equal(stun, messages[3]);
        }
    }

    [Theory]
    [InlineData("80000000")] // neither STUN nor a channel
    [InlineData("00010003")] // a STUN length that is not a multiple of four
    [InlineData("4000FFFF")] // longer than any datagram
    public void A_stream_of_something_else_is_refused(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        var reader = new TurnStreamReader();
        bytes.CopyTo(reader.Space);
        reader.Advance(bytes.Length);
        Assert.False(reader.TryTake(out _));
    }

    private static byte[] Read(string name) => TestVectors.ReadHex($"Turn/{name}.hex");
}
