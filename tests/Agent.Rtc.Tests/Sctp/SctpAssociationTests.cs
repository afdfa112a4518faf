using System.Text;
using Agent.Rtc.Sctp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Sctp;

public sealed class SctpAssociationTests
{
    private static readonly NetworkConditions s_rough = new() { Jitter = TimeSpan.FromMilliseconds(20), Reordering = 0.1, Duplication = 0.1 };

    public static TheoryData<int, double> Losses()
    {
        var data = new TheoryData<int, double>();
        foreach (var loss in new[] { 0, 0.1, 0.3 })
        {
            for (var seed = 1; seed <= 4; seed++) data.Add(seed, loss);
        }

        return data;
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Either_side_or_both_at_once_may_begin(bool a, bool b)
    {
        // The one that does not begin has to be ready, as a side is whose DTLS is up.
        var pair = new SctpPair();
        if (a) pair.A.Association.Start(pair.Now);
        if (b) pair.B.Association.Start(pair.Now);
        if (!a || !b)
        {
            pair.Network.Run(TimeSpan.FromSeconds(3));
            (a ? pair.B : pair.A).Association.Start(pair.Now);
        }

        pair.RunUntil(() => pair.A.WasEstablished && pair.B.WasEstablished, TimeSpan.FromSeconds(10));
        Assert.True(pair.TrySend(3, "there"u8));
        Assert.True(pair.B.Association.TrySend(4, 53, "and back"u8, default, pair.Now));
        pair.RunUntil(() => pair.A.Messages.Count == 1 && pair.B.Messages.Count == 1, TimeSpan.FromSeconds(1));
        Assert.Equal((3, 51u, "there"), (pair.B.Messages[0].Stream, pair.B.Messages[0].Ppid, Encoding.UTF8.GetString(pair.B.Messages[0].Data)));
        Assert.Equal((4, 53u, "and back"), (pair.A.Messages[0].Stream, pair.A.Messages[0].Ppid, Encoding.UTF8.GetString(pair.A.Messages[0].Data)));
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Reliable_messages_arrive_once_and_in_order_on_each_stream(int seed, double loss)
    {
        var random = new Random(seed);
        var pair = new SctpPair(seed, s_rough with { Loss = loss }).Connect();
        var sent = Enumerable.Range(0, 200).Select(i => ((ushort)(i % 5), SctpPair.Bytes(random, 1 + random.Next(i % 20 == 0 ? 20_000 : 1_500)))).ToArray();
        pair.SendAll(sent);
        pair.RunUntil(() => pair.B.Messages.Count >= sent.Length);
        pair.Network.Run(TimeSpan.FromSeconds(30));
        Assert.Equal(sent.Length, pair.B.Messages.Count);
        for (ushort stream = 0; stream < 5; stream++)
            Assert.Equal(sent.Where(m => m.Item1 == stream).Select(m => m.Item2), pair.B.Messages.Where(m => m.Stream == stream).Select(m => m.Data));
        Assert.True(pair.A.Association.Sender!.IsEmpty);
        Assert.Equal(0, pair.A.Association.Buffered);
        Assert.Equal(MonotonicTime.Never, pair.A.NextTimeout);
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Reliable_unordered_messages_arrive_once(int seed, double loss)
    {
        var random = new Random(seed);
        var pair = new SctpPair(seed, s_rough with { Loss = loss }).Connect();
        var sent = Enumerable.Range(0, 200).Select(i => ((ushort)1, SctpPair.Bytes(random, 16 + random.Next(4_000)))).ToArray();
        pair.SendAll(sent, new SctpReliability(IsUnordered: true));
        pair.RunUntil(() => pair.B.Messages.Count >= sent.Length);
        pair.Network.Run(TimeSpan.FromSeconds(30));
        Assert.Equal(sent.Select(m => Convert.ToHexString(m.Item2)).Order(), pair.B.Messages.Select(m => Convert.ToHexString(m.Data)).Order());
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void Lossy_messages_are_given_up_and_the_rest_goes_on(int seed, double loss)
    {
        foreach (var reliability in new[]
        {
            new SctpReliability(IsUnordered: true, MaximumRetransmissions: 0), new SctpReliability(IsUnordered: false, MaximumRetransmissions: 0),
            new SctpReliability(IsUnordered: false, MaximumRetransmissions: 1), new SctpReliability(IsUnordered: true, Lifetime: TimeSpan.FromMilliseconds(150)),
        })
        {
            var pair = new SctpPair(seed, new NetworkConditions { Loss = loss }).Connect();
            var sent = 0;
            for (; sent < 400; sent++)
            {
                Assert.True(pair.TrySend(2, Encoding.UTF8.GetBytes($"{sent}".PadRight(sent % 7 == 0 ? 3000 : 100)), reliability));
                pair.Network.Run(TimeSpan.FromMilliseconds(20));
            }

            pair.RunUntil(() => pair.A.Association.Sender!.IsEmpty);
            var numbers = pair.B.Messages.Select(m => int.Parse(Encoding.UTF8.GetString(m.Data).Trim(), null)).ToArray();
            Assert.Equal(numbers.Length, numbers.Distinct().Count());
            if (!reliability.IsUnordered) Assert.Equal(numbers.Order(), numbers);
            if (loss == 0) Assert.Equal(sent, numbers.Length);
            if (loss > 0 && reliability.MaximumRetransmissions == 0)
            {
                Assert.InRange(numbers.Length, (int)(sent * (1 - loss) * 0.6), sent - 1);
                Assert.True(pair.A.Association.Sender!.MessagesAbandoned > 0);
            }

            // A reliable message on the same association still arrives, and nothing is kept of what was given up.
            Assert.True(pair.TrySend(2, "last"u8));
            pair.RunUntil(() => pair.B.Messages[^1].Data.AsSpan().SequenceEqual("last"u8));
        }
    }

    [Fact]
    public void A_message_that_waits_longer_than_it_may_live_is_not_sent()
    {
        var pair = new SctpPair().Connect();
        pair.Network.Blocks = (_, _, _) => true;
        Assert.True(pair.TrySend(0, new byte[60_000]));
        pair.Network.Run(TimeSpan.FromMilliseconds(10));
        Assert.True(pair.TrySend(1, "stale"u8, new SctpReliability(true, Lifetime: TimeSpan.FromMilliseconds(100))));
        pair.Network.Run(TimeSpan.FromSeconds(2));
        pair.Network.Blocks = null;
        pair.RunUntil(() => pair.A.Association.Sender!.IsEmpty);
        Assert.Equal([60_000], pair.B.Messages.Select(m => m.Data.Length));
    }

    [Theory]
    [MemberData(nameof(Losses))]
    public void A_stream_is_reset_after_what_was_sent_on_it_and_can_be_used_again(int seed, double loss)
    {
        var random = new Random(seed);
        var pair = new SctpPair(seed, s_rough with { Loss = loss }).Connect();
        for (var round = 1; round <= 5; round++)
        {
            var messages = Enumerable.Range(0, 10).Select(_ => ((ushort)7, SctpPair.Bytes(random, 3000))).ToArray();
            pair.SendAll(messages);
            pair.A.Association.ResetStream(7, pair.Now);
            pair.RunUntil(() => pair.B.IncomingResets.Count >= round && pair.A.OutgoingResets.Count >= round);
            Assert.Equal(10 * round, pair.B.Messages.Count);
        }

        // A request that came too early and is asked again may be carried out twice: nothing is sent in between.
        Assert.All(pair.B.IncomingResets, stream => Assert.Equal(7, stream));
        Assert.Equal(Enumerable.Repeat((ushort)7, 5), pair.A.OutgoingResets);
    }

    [Fact]
    public void Both_sides_reset_the_same_stream_at_once()
    {
        var pair = new SctpPair().Connect();
        pair.A.Association.ResetStream(1, pair.Now);
        pair.B.Association.ResetStream(1, pair.Now);
        pair.RunUntil(() => pair.A.OutgoingResets.Count == 1 && pair.B.OutgoingResets.Count == 1, TimeSpan.FromSeconds(1));
        Assert.Equal((1, 1), (pair.A.IncomingResets.Count, pair.B.IncomingResets.Count));
    }

    [Fact]
    public void A_lost_packet_is_sent_again_within_a_round_trip_once_three_acknowledgements_tell_of_it()
    {
        var pair = new SctpPair().Connect();
        var number = 0;
        pair.Network.Blocks = (from, _, _) => from == pair.A.Addresses[0] && number++ == 2;
        for (var i = 0; i < 12; i++)
        {
            Assert.True(pair.TrySend(0, new byte[1000]));
            pair.Network.Run(TimeSpan.FromMilliseconds(5));
        }

        pair.RunUntil(() => pair.B.Messages.Count == 12, TimeSpan.FromMilliseconds(60));
        Assert.Equal(1, pair.A.Association.Sender!.Retransmissions);
        Assert.Equal(0, pair.A.Association.Sender.TimeoutsInARow);
    }

    [Fact]
    public void The_window_opens_while_all_goes_well_and_closes_when_nothing_comes_back()
    {
        var pair = new SctpPair().Connect();
        var initial = pair.A.Association.Sender!.WindowSize;
        Assert.Equal(4404, initial);
        pair.SendAll([.. Enumerable.Range(0, 50).Select(_ => ((ushort)0, new byte[10_000]))]);
        pair.RunUntil(() => pair.B.Messages.Count == 50);
        Assert.True(pair.A.Association.Sender.WindowSize > 4 * initial);
        pair.Network.Blocks = (_, _, _) => true;
        pair.TrySend(0, new byte[50_000]);
        pair.RunUntil(() => pair.A.Association.Sender.TimeoutsInARow == 2);
        Assert.Equal(SctpFormat.MaximumPacketLength - SctpFormat.CommonHeaderLength, pair.A.Association.Sender.WindowSize);
    }

    [Fact]
    public void Too_much_at_once_is_refused_until_there_is_room_again()
    {
        var pair = new SctpPair().Connect();
        pair.Network.Blocks = (_, _, _) => true;
        var taken = 0;
        while (pair.TrySend(0, new byte[10_000])) taken++;
        Assert.Equal(SctpSender.BufferLimit / 10_000, taken);
        var small = 0;
        while (pair.TrySend(0, "x"u8)) small++;
        Assert.InRange(small, 1, 2000);
        pair.Network.Blocks = null;
        pair.RunUntil(() => pair.B.Messages.Count == taken + small);
        Assert.True(pair.TrySend(0, new byte[10_000]));
    }

    [Fact]
    public void A_peer_that_falls_silent_ends_the_association()
    {
        var pair = new SctpPair().Connect();
        pair.Network.Blocks = (_, _, _) => true;
        pair.TrySend(0, "anybody?"u8);
        pair.RunUntil(() => pair.A.Closed is not null);
        Assert.Equal("The peer has stopped acknowledging.", pair.A.Closed);
        Assert.False(pair.TrySend(0, "no"u8));
        Assert.Equal(MonotonicTime.Never, pair.A.NextTimeout);
    }

    [Fact]
    public void A_peer_that_never_answers_is_given_up()
    {
        var pair = new SctpPair();
        pair.A.Association.Start(pair.Now);
        pair.RunUntil(() => pair.A.Closed is not null);
        Assert.Equal(9, pair.A.PacketsSent);
    }

    [Fact]
    public void An_abort_ends_both_sides()
    {
        var pair = new SctpPair().Connect();
        pair.A.Association.Abort(SctpErrorCause.UserInitiatedAbort, "enough");
        pair.RunUntil(() => pair.B.Closed is not null, TimeSpan.FromSeconds(1));
        Assert.Equal("enough", pair.A.Closed);
        Assert.Equal("The peer ended the association (ABORT, cause 12).", pair.B.Closed);
    }

    [Fact]
    public void Sequence_numbers_wrap()
    {
        // TSNs and tags of all ones; 70,000 messages pass SSN 65535.
        var pair = new SctpPair(3, new NetworkConditions { Loss = 0.01 }, new Ones()).Connect();
        pair.SendAll([.. Enumerable.Range(0, 70_000).Select(i => ((ushort)0, BitConverter.GetBytes(i)))]);
        pair.RunUntil(() => pair.B.Messages.Count == 70_000);
        Assert.Equal(Enumerable.Range(0, 70_000), pair.B.Messages.Select(m => BitConverter.ToInt32(m.Data)));
    }

    private sealed class Ones : IRandomSource
    {
        public void Fill(Span<byte> destination) => destination.Fill(0xFF);
    }
}
