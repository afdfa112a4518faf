using System.Text;
using Agent.Home;
using Agent.Rtc.Sdp;
using Agent.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

public sealed class MqttSignalingTests : IAsyncDisposable
{
    private const string Offer = """{"type":"offer","sdp":"v=0\r\n"}""";
    private const string Candidate = """{"candidate":"candidate:1 1 udp 1 192.0.2.1 5000 typ host","sdpMid":"0","sdpMLineIndex":0}""";

    private readonly FakeMqttConnection _connection = new();
    private readonly FakeGateway _gateway = new();
    private readonly ManualTime _time = new();
    private readonly MqttService _service;

    public MqttSignalingTests()
    {
        _service = new MqttService(_connection, _gateway, "base", "main", NullLoggerFactory.Instance, _time);
        _service.Start();
    }

    public async ValueTask DisposeAsync() => await _service.DisposeAsync();

    private async Task OpenAsync(string client = "c1")
    {
        _connection.Receive($"base/webrtc/offer/{client}", Offer);
        Assert.Equal($"base/webrtc/answer/{client}", (await _connection.NextAsync()).Topic);
        Assert.Equal($"base/webrtc/ice/{client}/device", (await _connection.NextAsync()).Topic);
    }

    /// <summary>Waits until everything received so far was handled: an offer of another client is handled after it.</summary>
    private async Task SettleAsync() => await OpenAsync("settle");

    [Fact]
    public async Task The_status_is_online_at_each_connection_and_offline_at_the_end()
    {
        Assert.Equal("base/status offline", _connection.Will);
        _connection.Connect();
        Assert.Equivalent(new Published("base/status", "online", 1, true, null, []), await _connection.NextAsync());
        _connection.Disconnect();
        _connection.Connect();
        Assert.Equal("online", (await _connection.NextAsync()).Payload);

        await _service.StopAsync();

        Assert.Equivalent(new Published("base/status", "offline", 1, true, null, []), await _connection.NextAsync());
        Assert.True(_connection.IsDisposed);
        Assert.False(_gateway.HasSubscribers);
    }

    [Fact]
    public void Only_the_shared_topic_is_subscribed_with_no_local()
    {
        Assert.Equal(
            [("base/webrtc/offer/+", 1, false), ("base/webrtc/ice/+", 1, false), ("base/webrtc/bye/+", 1, true)], _connection.Subscriptions);
    }

    [Fact]
    public async Task An_offer_is_answered_with_the_end_of_candidates_after_it()
    {
        _connection.Receive("base/webrtc/offer/c1", """{"type":"offer","sdp":"v=0\r\n","camera":"porch","extra":{"ignored":[1]}}""");

        var answer = await _connection.NextAsync();
        Assert.Equal(("base/webrtc/answer/c1", 1, false, (TimeSpan?)TimeSpan.FromSeconds(30)), (answer.Topic, answer.Qos, answer.Retain, answer.Expiry));
        Assert.Equal("""{"type":"answer","sdp":"v=0\r\na=group:BUNDLE 0\r\n"}""", answer.Payload);
        var end = await _connection.NextAsync();
        Assert.Equal(("base/webrtc/ice/c1/device", "null"), (end.Topic, end.Payload));
        var offer = Assert.Single(_gateway.Offers);
        Assert.Equal(("porch", "mqtt", "c1"), (offer.Camera, offer.Via, offer.Client));
        Assert.Equal("v=0\r\n", Encoding.UTF8.GetString(offer.Offer.Span));
    }

    [Theory]
    [InlineData("base/webrtc/answer/mine", "base/webrtc/answer/mine")]
    [InlineData("base/webrtc/answer/a/b", "base/webrtc/answer/a/b")]
    [InlineData("homeassistant/switch/door/set", "base/webrtc/answer/c1")]
    [InlineData("base/webrtc/answer/#", "base/webrtc/answer/c1")]
    public async Task The_response_topic_is_used_only_below_the_answers(string asked, string used)
    {
        _connection.Receive("base/webrtc/offer/c1", Offer, responseTopic: asked, correlationData: [1, 2]);

        var answer = await _connection.NextAsync();
        Assert.Equal(used, answer.Topic);
        Assert.Equal([1, 2], answer.CorrelationData);
    }

    [Theory]
    [InlineData(ViewerErrorKind.UnknownCamera, "unknown-camera")]
    [InlineData(ViewerErrorKind.NotAcceptable, "not-acceptable")]
    [InlineData(ViewerErrorKind.Malformed, "malformed")]
    [InlineData(ViewerErrorKind.NotProducing, "not-producing")]
    [InlineData(ViewerErrorKind.Busy, "busy")]
    public async Task A_refusal_goes_to_the_client_and_to_the_error_topic(ViewerErrorKind kind, string code)
    {
        _gateway.NextError = new ViewerError(kind, "why", TimeSpan.FromSeconds(1.5));
        _connection.Receive("base/webrtc/offer/c1", Offer);

        var answer = await _connection.NextAsync();
        Assert.Equal("base/webrtc/answer/c1", answer.Topic);
        Assert.Equal($$"""{"type":"error","code":"{{code}}","message":"why","retryAfterSeconds":2}""", answer.Payload);
        var report = await _connection.NextAsync();
        Assert.Equal(("base/error", $$"""{"client":"c1","code":"{{code}}","message":"why"}"""), (report.Topic, report.Payload));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("17")]
    [InlineData("v=0\r\n")]
    [InlineData("""{"type":"offer"}""")]
    [InlineData("""{"type":"offer","sdp":""}""")]
    [InlineData("""{"type":"offer","sdp":7}""")]
    [InlineData("""{"type":"answer","sdp":"v=0"}""")]
    [InlineData("""{"type":"offer","type":"offer","sdp":"v=0"}""")]
    [InlineData("""{"type":"offer","sdp":"\ud800"}""")]
    [InlineData("""{"type":"offer","sdp":"v=0"}}""")]
    [InlineData("""{"type":"offer","sdp":"v=0","x":[[[[[[[[[[1]]]]]]]]]]}""")]
    public async Task A_malformed_offer_is_refused_and_reaches_no_camera(string payload)
    {
        _connection.Receive("base/webrtc/offer/c1", payload);

        var answer = await _connection.NextAsync();
        Assert.Equal(("error", "malformed"), (answer.ParseJson().GetProperty("type").GetString(), answer.ParseJson().GetProperty("code").GetString()));
        Assert.Equal("base/error", (await _connection.NextAsync()).Topic);
        Assert.Empty(_gateway.Offers);
    }

    [Fact]
    public async Task An_offer_that_is_too_large_is_refused()
    {
        _connection.Receive("base/webrtc/offer/c1", new byte[MqttSignaling.MaxOfferBytes + 1]);

        Assert.Contains("send at most 131072", (await _connection.NextAsync()).Payload);
    }

    [Fact]
    public async Task Retained_messages_are_ignored()
    {
        _connection.Receive("base/webrtc/offer/old", Offer, retained: true);
        _connection.Receive("base/webrtc/ice/old", Candidate, retained: true);
        await SettleAsync();

        Assert.Equal("settle", Assert.Single(_gateway.Offers).Client);
    }

    [Fact]
    public async Task Other_topics_are_left_alone()
    {
        _connection.Receive("base/snapshot", "x");
        _connection.Receive("base/webrtc/offers/c1", Offer);
        _connection.Receive("base/webrtc/offer", Offer);
        _connection.Receive("other/webrtc/offer/c1", Offer);
        await SettleAsync();

        Assert.Single(_gateway.Offers);
        Assert.False(_connection.TryNext(out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("ä")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_client_name_that_is_unfit_for_a_topic_is_reported(string client)
    {
        _connection.Receive($"base/webrtc/offer/{client}", Offer);
        await OpenAsyncAfter(async () =>
        {
            if (client.Length > 0)
            {
                var report = await _connection.NextAsync();
                Assert.Equal(("base/error", "invalid-client"), (report.Topic, report.ParseJson().GetProperty("code").GetString()));
            }
        });

        Assert.Equal("settle", Assert.Single(_gateway.Offers).Client);
    }

    private async Task OpenAsyncAfter(Func<Task> before)
    {
        await before();
        await SettleAsync();
    }

    [Fact]
    public async Task Candidates_reach_the_session_and_null_ends_them()
    {
        await OpenAsync();
        _connection.Receive("base/webrtc/ice/c1", Candidate);
        _connection.Receive("base/webrtc/ice/c1", Candidate.Replace("\"0\"", "\"1\"", StringComparison.Ordinal));
        _connection.Receive("base/webrtc/ice/c1", """{"candidate":"candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype passive","sdpMid":"0"}""");
        _connection.Receive("base/webrtc/ice/c1", """{"candidate":"","sdpMid":"0"}""");
        _connection.Receive("base/webrtc/ice/c1", "null");
        await SettleAsync();

        Assert.All(_gateway.Trickles, trickle => Assert.Equal("s1", trickle.Session));
        Assert.Equal(3, _gateway.Trickles.Count);
        Assert.Equal("192.0.2.1", Assert.Single(_gateway.Trickles[0].Fragment.Candidates).HostName);
        Assert.False(_gateway.Trickles[0].Fragment.EndOfCandidates);
        Assert.True(_gateway.Trickles[1].Fragment.EndOfCandidates);
        Assert.True(_gateway.Trickles[2].Fragment.EndOfCandidates);
    }

    [Fact]
    public async Task Candidates_before_their_offer_wait_for_it()
    {
        _connection.Receive("base/webrtc/ice/c1", Candidate);
        _connection.Receive("base/webrtc/ice/c1", Candidate.Replace("\"0\"", "\"1\"", StringComparison.Ordinal));
        _connection.Receive("base/webrtc/ice/c1", "null");
        await OpenAsync();
        await SettleAsync();

        var (session, fragment) = Assert.Single(_gateway.Trickles);
        Assert.Equal("s1", session);
        Assert.Single(fragment.Candidates);
        Assert.True(fragment.EndOfCandidates);
    }

    [Fact]
    public async Task Candidates_that_waited_too_long_are_forgotten()
    {
        _connection.Receive("base/webrtc/ice/c1", Candidate);
        await SettleAsync();
        _time.Advance(EarlyCandidates.Lifetime + TimeSpan.FromMilliseconds(1));
        await OpenAsync();
        await SettleAsync();

        Assert.Empty(_gateway.Trickles);
    }

    [Fact]
    public void The_early_candidates_are_bounded()
    {
        var early = new EarlyCandidates(_time);
        var candidate = new SignaledCandidate(Rtc.Ice.IceCandidateType.Host, "192.0.2.1", 1, 1, "1");
        for (var i = 0; i < EarlyCandidates.MaxClients; i++)
        {
            Assert.True(early.TryAdd($"c{i}", "0", candidate));
        }

        Assert.False(early.TryAdd("more", "0", candidate));
        for (var i = 1; i < EarlyCandidates.MaxCandidates; i++)
        {
            Assert.True(early.TryAdd("c0", "0", candidate));
        }

        Assert.False(early.TryAdd("c0", "0", candidate));
        Assert.Equal(EarlyCandidates.MaxCandidates, early.Take("c0", "0")!.Candidates.Count);
        Assert.Null(early.Take("c0", "0"));
        _time.Advance(EarlyCandidates.Lifetime * 2);
        Assert.True(early.TryAdd("more", "0", candidate));
        Assert.Equal(1, early.Clients);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("\"candidate\"")]
    [InlineData("""{"candidate":1}""")]
    public async Task A_malformed_candidate_is_reported(string payload)
    {
        await OpenAsync();
        _connection.Receive("base/webrtc/ice/c1", payload);

        var report = await _connection.NextAsync();
        Assert.Equal(("base/error", "malformed"), (report.Topic, report.ParseJson().GetProperty("code").GetString()));
        Assert.Empty(_gateway.Trickles);
    }

    [Theory]
    [InlineData("", "the viewer said bye")]
    [InlineData("gone", "the viewer said bye")]
    [InlineData("""{"reason":"viewer left"}""", "viewer left")]
    [InlineData("""{"reason":"a\nb"}""", "a?b")]
    public async Task A_bye_closes_the_session(string payload, string reason)
    {
        await OpenAsync();
        _connection.Receive("base/webrtc/bye/c1", payload);
        await SettleAsync();

        Assert.Equal([("s1", reason)], _gateway.Closed);
    }

    [Fact]
    public async Task A_session_that_ends_is_said_bye_and_the_brokers_echo_of_it_does_no_harm()
    {
        await OpenAsync();
        _gateway.EndSession("s1", "consent lost");

        var bye = await _connection.NextAsync();
        Assert.Equal(("base/webrtc/bye/c1", """{"type":"bye","from":"device","reason":"consent lost"}"""), (bye.Topic, bye.Payload));
        await OpenAsync();
        _connection.Receive(bye.Topic, bye.Payload);
        await SettleAsync();

        Assert.Empty(_gateway.Closed);
    }

    [Fact]
    public async Task A_new_offer_replaces_the_clients_session_without_a_bye()
    {
        await OpenAsync();
        await OpenAsync();
        _gateway.EndSession("s1", "replaced");
        await SettleAsync();

        Assert.Equal([("s1", "replaced by a new offer of the same client")], _gateway.Closed);
        Assert.False(_connection.TryNext(out _));
    }

    [Fact]
    public async Task A_new_offer_of_the_same_session_restarts_ice_in_it()
    {
        await OpenAsync();
        _gateway.Restarted = new ViewerAnswer("s1", "v=0\r\na=ice-ufrag:new1\r\n", "etag2");
        var offers = _gateway.Offers.Count;
        _connection.Receive("base/webrtc/offer/c1", """{"type":"offer","sdp":"v=0\r\n"}""");

        var answer = await _connection.NextAsync();
        Assert.Equal("base/webrtc/answer/c1", answer.Topic);
        Assert.Contains("new1", answer.Payload, StringComparison.Ordinal);
        Assert.Equal("null", (await _connection.NextAsync()).Payload);
        Assert.Empty(_gateway.Closed);
        Assert.Equal(offers, _gateway.Offers.Count);
    }

    [Fact]
    public async Task An_offer_of_another_camera_is_no_ice_restart()
    {
        await OpenAsync();
        _gateway.Restarted = new ViewerAnswer("s1", "v=0\r\n", "etag2");
        _connection.Receive("base/webrtc/offer/c1", """{"type":"offer","sdp":"v=0\r\n","camera":"other"}""");
        await _connection.NextAsync();

        Assert.Equal("s1", Assert.Single(_gateway.Closed).Session);
        Assert.Equal("other", _gateway.Offers[^1].Camera);
    }

    [Fact]
    public async Task A_candidate_for_a_session_that_is_gone_says_bye()
    {
        await OpenAsync();
        _gateway.TrickleError = new ViewerError(ViewerErrorKind.UnknownSession, "gone");
        _connection.Receive("base/webrtc/ice/c1", Candidate);

        Assert.Equal("base/webrtc/bye/c1", (await _connection.NextAsync()).Topic);
    }

    [Fact]
    public async Task Too_many_offers_are_refused_until_time_has_passed()
    {
        for (var i = 0; i < RateLimit.Burst; i++)
        {
            await OpenAsync($"c{i}");
        }

        _connection.Receive("base/webrtc/offer/late", Offer);
        var refused = await _connection.NextAsync();
        Assert.Equal("rate-limited", refused.ParseJson().GetProperty("code").GetString());
        Assert.Equal(1, refused.ParseJson().GetProperty("retryAfterSeconds").GetInt32());
        Assert.Equal("base/error", (await _connection.NextAsync()).Topic);
        Assert.Equal(RateLimit.Burst, _gateway.Offers.Count);

        _time.Advance(TimeSpan.FromSeconds(1));
        await OpenAsync("late");
    }

    [Fact]
    public async Task A_flood_of_nonsense_is_reported_no_more_often_than_the_limit()
    {
        for (var i = 0; i < 3 * RateLimit.Burst; i++)
        {
            _connection.Receive("base/webrtc/ice/c1", "nonsense");
        }

        _connection.Receive("base/webrtc/offer/c1", Offer);
        var reports = 0;
        while ((await _connection.NextAsync()).Topic == "base/error")
        {
            reports++;
        }

        Assert.Equal(RateLimit.Burst, reports);
    }

    [Fact]
    public async Task Messages_beyond_the_queue_are_dropped_and_counted_and_the_rest_is_handled()
    {
        const int Extra = 7;
        var gate = new TaskCompletionSource();
        _gateway.Gate = gate.Task;
        await using var signaling = new MqttSignaling(_connection, _gateway, "other", "main", NullLogger.Instance, _time);
        _connection.Receive("other/webrtc/offer/c1", Offer);
        SpinWait.SpinUntil(() => _gateway.Offers.Count == 1);
        for (var i = 0; i < MqttSignaling.QueueCapacity + Extra; i++)
        {
            _connection.Receive("other/webrtc/bye/c2", "");
        }

        Assert.Equal(Extra, signaling.Dropped);
        gate.SetResult();
        Assert.Equal("other/webrtc/answer/c1", (await _connection.NextAsync()).Topic);
    }

    [Fact]
    public async Task Stopping_says_bye_to_every_viewer()
    {
        await OpenAsync("c1");
        await OpenAsync("c2");

        await _service.StopAsync();

        Assert.Equal(["base/webrtc/bye/c1", "base/webrtc/bye/c2"], [(await _connection.NextAsync()).Topic, (await _connection.NextAsync()).Topic]);
        Assert.Equal([("s1", "the agent stops"), ("s2", "the agent stops")], _gateway.Closed);
    }

    [Fact]
    public async Task Every_truncation_and_mutation_of_a_message_leaves_signalling_alive()
    {
        const int Seed = 3391;
        var random = new Random(Seed);
        foreach (var (topic, text) in new[] { ("offer", Offer), ("ice", Candidate), ("bye", """{"type":"bye","from":"x","reason":"y"}""") })
        {
            var payload = Encoding.UTF8.GetBytes(text);
            for (var length = 0; length < payload.Length; length++)
            {
                var mutated = (byte[])payload.Clone();
                mutated[length] = (byte)random.Next(256);
                _time.Advance(TimeSpan.FromSeconds(1));
                _connection.Receive($"base/webrtc/{topic}/c1", payload[..length]);
                _connection.Receive($"base/webrtc/{topic}/c1", mutated);
                _connection.Receive($"base/webrtc/offer/probe", Offer);
                while ((await _connection.NextAsync()).Topic != "base/webrtc/ice/probe/device")
                {
                }
            }
        }

        Assert.Contains(_gateway.Offers, offer => offer.Client == "probe");
    }
}
