using System.Text;
using Agent.Rtc.DataChannels;
using Agent.Rtc.Dtls;
using Agent.Rtc.Sctp;
using Agent.Rtc.Sdp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.DataChannels;

public sealed class DataChannelTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    private readonly SimulatedNetwork _network = new(1);
    private readonly Peer _client;
    private readonly Peer _server;

    public DataChannelTests()
    {
        var (a, b) = (PeerSessionScenario.Address("192.0.2.1", 8443), PeerSessionScenario.Address("192.0.2.2", 50000));
        _client = new Peer(DtlsRole.Client, 1, a, b);
        _server = new Peer(DtlsRole.Server, 2, b, a);
        _network.Add(_client);
        _network.Add(_server);
    }

    [Fact]
    public void Channels_that_both_sides_ask_for_before_there_is_an_association_open()
    {
        _client.Data.Open("from client", "v1", new SctpReliability(true, 0), _network.Now);
        _server.Data.Open("from server", "", default, _network.Now);
        Start();
        Until(() => _client.Opened.Count == 2 && _server.Opened.Count == 2);
        Assert.Equal([(0, "from client", "v1", new SctpReliability(true, 0)), (1, "from server", "", default)], Describe(_client));
        Assert.Equal(Describe(_client), Describe(_server));

        static (int, string, string, SctpReliability)[] Describe(Peer peer) =>
            [.. peer.Opened.Select(c => ((int)c.Id, c.Label, c.Protocol, c.Reliability)).OrderBy(c => c.Item1)];
    }

    [Fact]
    public void Messages_of_every_kind_go_both_ways_empty_ones_too()
    {
        var (one, other) = OpenOne(default);
        (byte[], bool)[] messages = [("text äöü"u8.ToArray(), true), ([], true), ([1, 0, 2], false), ([], false), (new byte[DataChannelTransport.MaximumMessageLength], false)];
        foreach (var (data, isText) in messages)
        {
            Assert.True(_client.Data.TrySend(one, data, isText, _network.Now));
            Assert.True(_server.Data.TrySend(other, data, isText, _network.Now));
        }

        Until(() => _client.Messages.Count == messages.Length && _server.Messages.Count == messages.Length);
        Assert.Equal(messages, _client.Messages.Select(m => (m.Data, m.IsText)));
        Assert.Equal(messages, _server.Messages.Select(m => (m.Data, m.IsText)));
    }

    [Fact]
    public void A_message_sent_before_the_peer_has_agreed_does_not_overtake_the_opening()
    {
        Start();
        Until(() => _client.Data.GetStatus().State == "Established");
        _network.Conditions = new NetworkConditions { Reordering = 0.5 };
        var channel = _client.Data.Open("early", "", new SctpReliability(IsUnordered: true), _network.Now)!;
        for (var i = 0; i < 50; i++) Assert.True(_client.Data.TrySend(channel, [(byte)i], false, _network.Now));
        Until(() => _server.Messages.Count == 50);
        Assert.Equal(0, _server.Data.GetStatus().MessagesDropped);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Either_side_closes_a_channel_after_what_was_sent_and_its_number_is_free_again(bool client)
    {
        var (one, other) = OpenOne(default);
        var (closer, closed) = client ? (_client, _server) : (_server, _client);
        Assert.True(closer.Data.TrySend(client ? one : other, "last words"u8, true, _network.Now));
        closer.Data.Close(client ? one : other, _network.Now);
        Assert.False(closer.Data.TrySend(client ? one : other, "too late"u8, true, _network.Now));
        Until(() => _client.Closed.Count == 1 && _server.Closed.Count == 1);
        Assert.Equal("last words", Encoding.UTF8.GetString(closed.Messages.Single().Data));
        Assert.Empty(_client.Data.GetStatus().Open);
        Assert.Equal(DataChannelState.Closed, one.State);
        var again = _client.Data.Open("again", "", default, _network.Now)!;
        Assert.Equal(one.Id, again.Id);
        Assert.True(_client.Data.TrySend(again, "new"u8, true, _network.Now));
        Until(() => _server.Messages.Count > 0 && _server.Messages[^1].Data.AsSpan().SequenceEqual("new"u8));
    }

    [Fact]
    public void A_channel_that_the_peer_has_just_opened_is_ended_after_a_while_or_with_the_peer()
    {
        var (refused, refusedHere) = OpenOne(default);
        var openedAt = _network.Now;
        _server.Data.Close(refusedHere, _network.Now);
        _network.Run(DataChannelTransport.MinimumLife / 2);
        var ended = _client.Data.Open("the peer ends this one", "", default, _network.Now)!;
        Until(() => _server.Opened.Count == 2);
        _server.Data.Close(_server.Opened[1], _network.Now);
        _client.Data.Close(ended, _network.Now);
        Until(() => _client.Closed.Count == 1 && _server.Closed.Count == 1);
        Assert.Equal(ended, _client.Closed[0]);
        Assert.InRange(_network.Now - openedAt, TimeSpan.Zero, DataChannelTransport.MinimumLife);
        Assert.Equal(DataChannelState.Open, refused.State);

        Until(() => _client.Closed.Count == 2 && _server.Closed.Count == 2);
        Assert.InRange(_network.Now - openedAt, DataChannelTransport.MinimumLife - TimeSpan.FromMilliseconds(100), DataChannelTransport.MinimumLife + s_second);
        Assert.Null(_server.Data.GetStatus().CloseReason);
        _network.Run(2 * DataChannelTransport.MinimumLife);
        Assert.Equal(2, _client.Closed.Count);
    }

    [Fact]
    public void More_channels_than_allowed_are_closed_as_they_are_asked_for()
    {
        var random = new SeededRandomSource(7);
        Start();
        Until(() => _client.Data.GetStatus().State == "Established");
        for (var i = 0; i < DataChannelTransport.MaximumChannels; i++) Assert.NotNull(_client.Data.Open($"{i}", "", default, _network.Now));
        Assert.Null(_client.Data.Open("one more", "", default, _network.Now));
        Until(() => _server.Opened.Count == DataChannelTransport.MaximumChannels);

        // A peer that does not count: DCEP by hand, on a stream beyond.
        _client.Data.Association.TrySend(600, 50, new DcepOpen("flood", "", default).Write(), default, _network.Now);
        Until(() => _server.Data.GetStatus().MessagesDropped == 1);
        _network.Run(s_second);
        Assert.Equal(DataChannelTransport.MaximumChannels, _server.Opened.Count);
    }

    [Fact]
    public void An_opening_with_a_number_of_the_wrong_side_or_nonsense_is_refused()
    {
        Start();
        Until(() => _client.Data.GetStatus().State == "Established");
        var open = new DcepOpen("wrong", "", default).Write();
        _client.Data.Association.TrySend(1, 50, open, default, _network.Now); // odd: the DTLS server's
        _client.Data.Association.TrySend(2, 50, open.AsSpan(0, 5), default, _network.Now);
        _client.Data.Association.TrySend(4, 51, "for no channel"u8, default, _network.Now);
        Until(() => _server.Data.GetStatus().MessagesDropped == 3);
        Assert.Empty(_server.Opened);
        Assert.Null(_server.Data.GetStatus().CloseReason);
    }

    [Fact]
    public void The_end_of_the_association_closes_its_channels()
    {
        var (one, other) = OpenOne(default);
        _server.Data.Close("the agent stops");
        Until(() => _client.Closed.Count == 1);
        Assert.Equal((DataChannelState.Closed, DataChannelState.Closed), (one.State, other.State));
        Assert.Null(_client.Data.Open("late", "", default, _network.Now));
    }

    private (DataChannel Client, DataChannel Server) OpenOne(SctpReliability reliability)
    {
        var channel = _client.Data.Open("channel", "", reliability, _network.Now)!;
        Start();
        Until(() => _client.Opened.Count == 1 && _server.Opened.Count == 1);
        return (channel, _server.Opened[0]);
    }

    private void Start()
    {
        _client.Data.Start(_network.Now);
        _server.Data.Start(_network.Now);
    }

    private void Until(Func<bool> condition) => Assert.True(_network.RunUntil(condition, 10 * s_second));

    private sealed class Peer : SimulatedNode, IDataChannelHandler
    {
        private readonly TransportAddress _remote;

        internal Peer(DtlsRole role, int seed, TransportAddress own, TransportAddress remote)
            : base(own)
        {
            _remote = remote;
            Data = new DataChannelTransport(new DataChannelTerms(5000, 256 * 1024), role, this, new SeededRandomSource(seed));
        }

        internal DataChannelTransport Data { get; }

        internal List<DataChannel> Opened { get; } = [];

        internal List<DataChannel> Closed { get; } = [];

        internal List<(byte[] Data, bool IsText)> Messages { get; } = [];

        public override MonotonicTime NextTimeout => Data.NextTimeout;

        public override void HandleTimeout(MonotonicTime now) => Data.HandleTimeout(now);

        public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
            Data.HandlePacket(datagram, now);

        public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
        {
            var any = Data.TryWritePacket(buffer, now, out var length);
            transmit = new Transmit(length, Addresses[0], _remote);
            return any;
        }

        public void OnOpened(DataChannel channel) => Opened.Add(channel);

        public void OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isText) => Messages.Add((message.ToArray(), isText));

        public void OnClosed(DataChannel channel) => Closed.Add(channel);
    }
}
