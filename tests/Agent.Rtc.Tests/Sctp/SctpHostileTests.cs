using System.Buffers.Binary;
using Agent.Rtc.Sctp;

namespace Agent.Rtc.Tests.Sctp;

/// <summary>A peer that has passed the handshake and then says whatever it likes.</summary>
public sealed class SctpHostileTests
{
    private readonly SctpPair _pair = new SctpPair().Connect();
    private readonly byte[] _buffer = new byte[1500];

    [Fact]
    public void Any_chunk_of_random_bytes_is_survived_and_answers_stay_bounded()
    {
        var random = new Random(5);
        // Those two end it, as they should.
        foreach (var type in Enumerable.Range(0, 256).Where(type => type is not ((int)SctpChunkType.Abort or (int)SctpChunkType.Shutdown)))
        {
            for (var i = 0; i < 200; i++)
            {
                // Twelve bytes of a DATA chunk are its header alone, which ends the association; see below.
                var value = SctpPair.Bytes(random, random.Next(type == (int)SctpChunkType.Data ? 13 : 1, 64));
                Feed((SctpChunkType)type, value, (byte)random.Next(256));
            }
        }

        Assert.Null(_pair.B.Closed);
    }

    [Fact]
    public void A_chunk_without_data_ends_the_association()
    {
        FeedData(NextTsn, 0, 0, 3, []);
        Assert.Equal("The peer sent a DATA chunk without data.", _pair.B.Closed);
    }

    [Fact]
    public void Packets_with_another_tag_or_port_are_dropped()
    {
        var before = _pair.B.Association.PacketsDropped;
        var abort = SctpWireTests.Packet(SctpChunkType.Abort, [], tag: 0xBAD, destination: 5000, flags: 0);
        _pair.B.Association.HandlePacket(abort, _pair.Now);
        _pair.B.Association.HandlePacket(SctpWireTests.Packet(SctpChunkType.Abort, [], LocalTag, destination: 5001, flags: 0), _pair.Now);
        _pair.B.Association.HandlePacket(SctpWireTests.Packet(SctpChunkType.Init, new byte[20], LocalTag, destination: 5000, flags: 0), _pair.Now);
        Assert.Equal(before + 3, _pair.B.Association.PacketsDropped);
        Assert.Null(_pair.B.Closed);
    }

    [Fact]
    public void A_late_init_or_cookie_does_not_disturb_an_association_that_stands()
    {
        Feed(SctpChunkType.CookieEcho, new byte[SctpCookie.Length]);
        var init = new byte[SctpInit.FixedLength];
        new SctpInit(77, 1000, 1, 1, 1, false, false).WriteFixed(init);
        _pair.B.Association.HandlePacket(SctpWireTests.Packet(SctpChunkType.Init, init, tag: 0, destination: 5000, flags: 0), _pair.Now);
        Assert.True(_pair.TrySend(0, "still here"u8));
        _pair.RunUntil(() => _pair.B.Messages.Count == 1, TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(1100)]
    public void First_fragments_without_an_end_are_kept_up_to_a_bound(int length)
    {
        var tsn = NextTsn;
        for (var i = 0; i < 4_000 && _pair.B.Closed is null; i++) FeedData(tsn++, 0, (ushort)i, SctpFormat.DataBegin, new byte[length]);
        Assert.Contains("window", _pair.B.Closed, StringComparison.Ordinal);
        Assert.Empty(_pair.B.Messages);
    }

    [Fact]
    public void A_message_longer_than_announced_ends_the_association()
    {
        var tsn = NextTsn;
        for (var i = 0; i < 100 && _pair.B.Closed is null; i++)
            FeedData(tsn++, 0, 0, i == 0 ? SctpFormat.DataBegin : (byte)0, new byte[1100]);
        Assert.Contains("max-message-size", _pair.B.Closed, StringComparison.Ordinal);
    }

    [Fact]
    public void Ordered_messages_that_never_get_their_turn_are_kept_up_to_a_bound()
    {
        var tsn = NextTsn;
        for (var i = 0; i < 4_000 && _pair.B.Closed is null; i++) FeedData(tsn++, 0, (ushort)(i + 1), 3, new byte[200]);
        Assert.Contains("window", _pair.B.Closed, StringComparison.Ordinal);
    }

    [Fact]
    public void Chunks_behind_a_gap_are_taken_up_to_the_window_and_no_further()
    {
        var tsn = NextTsn;
        for (uint i = 1; i < 4_000; i++) FeedData(tsn + i, 0, (ushort)(i + 1), 3, new byte[1000]);
        Assert.Null(_pair.B.Closed);
        Assert.InRange(_pair.B.Association.ReceiverHeld, 100_000, SctpReassembly.Budget);

        // What fills the gap is taken nevertheless.
        FeedData(tsn, 0, 0, 3, "first"u8.ToArray());
        Assert.Single(_pair.B.Messages);
    }

    [Fact]
    public void Messages_on_streams_that_do_not_exist_are_acknowledged_and_dropped()
    {
        FeedData(NextTsn, 60_000, 0, 3, [1]);
        Assert.Null(_pair.B.Closed);
        Assert.Empty(_pair.B.Messages);
        Assert.True(_pair.B.Association.TryWritePacket(_buffer, _pair.Now + TimeSpan.FromSeconds(1), out _) || _pair.B.NextTimeout < MonotonicTime.Never);
    }

    [Fact]
    public void Acknowledgements_of_what_was_never_sent_change_nothing()
    {
        Assert.True(_pair.B.Association.TrySend(0, 51, "mine"u8, default, _pair.Now));
        Assert.True(_pair.B.Association.TryWritePacket(_buffer, _pair.Now, out _));
        var last = _pair.B.Association.Sender!.LastTsn;
        foreach (var (cumulative, start, end) in new (uint, ushort, ushort)[] { (last + 1, 0, 0), (last + 100, 0, 0), (last - 2, 0, 0), (last - 1, 1, 9), (last - 1, 3, 1), (last - 1, 0, 1) })
        {
            var sack = new byte[16];
            BinaryPrimitives.WriteUInt32BigEndian(sack, cumulative);
            BinaryPrimitives.WriteUInt32BigEndian(sack.AsSpan(4), 100_000);
            BinaryPrimitives.WriteUInt16BigEndian(sack.AsSpan(8), 1);
            BinaryPrimitives.WriteUInt16BigEndian(sack.AsSpan(12), start);
            BinaryPrimitives.WriteUInt16BigEndian(sack.AsSpan(14), end);
            Feed(SctpChunkType.Sack, sack);
            Assert.Equal(4, _pair.B.Association.Sender.InFlight);
        }
    }

    [Fact]
    public void A_peer_without_room_is_probed_and_not_flooded()
    {
        var sack = new byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(sack, _pair.B.Association.Sender!.LastTsn);
        Feed(SctpChunkType.Sack, sack);
        for (var i = 0; i < 20; i++) Assert.True(_pair.B.Association.TrySend(0, 51, new byte[1000], default, _pair.Now));
        var packets = 0;
        while (_pair.B.Association.TryWritePacket(_buffer, _pair.Now, out _)) packets++;
        Assert.Equal(1, packets);
        Assert.Equal(1000, _pair.B.Association.Sender.InFlight);
    }

    [Fact]
    public void Requests_to_reset_are_answered_a_few_to_a_packet_however_many_come()
    {
        for (var i = 0; i < 1000; i++)
        {
            var request = new byte[16];
            BinaryPrimitives.WriteUInt16BigEndian(request, (ushort)SctpParameterType.AddIncomingStreams);
            BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(2), 16);
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(4), i);
            Feed(SctpChunkType.ReConfig, request, drain: false);
        }

        var bytes = 0;
        while (_pair.B.Association.TryWritePacket(_buffer, _pair.Now, out var length)) bytes += length;
        Assert.InRange(bytes, 20, SctpFormat.MaximumPacketLength);
    }

    private uint LocalTag => _pair.B.Association.LocalTag;

    private uint NextTsn => _pair.A.Association.Sender!.LastTsn + 1;

    private void FeedData(uint tsn, ushort stream, ushort ssn, byte flags, byte[] payload)
    {
        var value = new byte[12 + payload.Length];
        SctpData.Write(value, tsn, stream, ssn, 51, payload);
        Feed(SctpChunkType.Data, value, flags);
    }

    private void Feed(SctpChunkType type, byte[] value, byte flags = 0, bool drain = true)
    {
        _pair.B.Association.HandlePacket(SctpWireTests.Packet(type, value, LocalTag, destination: 5000, flags: flags), _pair.Now);
        for (var packets = 0; drain && _pair.B.Association.TryWritePacket(_buffer, _pair.Now, out _); packets++) Assert.True(packets < 100);
    }
}
