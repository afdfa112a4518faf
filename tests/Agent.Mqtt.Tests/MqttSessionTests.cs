using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Mqtt.Tests;

/// <summary>The connection against a real mosquitto, and against brokers in the test that refuse as mosquitto cannot.</summary>
public sealed class MqttSessionTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static MqttOptions Options(int port) => new() { Host = "127.0.0.1", Port = port, Device = $"test{port}" };

    private static async Task<Probe> ConnectAsync(MqttOptions options)
    {
        var probe = new Probe(options);
        probe.Session.Subscribe("base/in/+", 1, noLocal: false);
        probe.Session.Start("base/status", "offline"u8);
        await probe.ConnectedAsync();
        return probe;
    }

    [Fact]
    public async Task Messages_travel_both_ways_with_their_properties()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var probe = await ConnectAsync(Options(broker.Port));
        using var subscriber = await MosquittoSubscriber.StartAsync(broker, "base/out", "%r %q %E %D %p", "-V", "5");

        await broker.PublishAsync(
            "-V", "5", "-q", "1", "-t", "base/in/x", "-m", "hello", "-D", "publish", "response-topic", "base/re", "-D", "publish", "correlation-data", "id7");
        var message = await probe.NextAsync();
        Assert.True(probe.Session.Publish("base/out", "world"u8, 1, retain: false, TimeSpan.FromSeconds(90), "id8"u8));

        Assert.Equal(("base/in/x", "hello", false, "base/re", "id7"), (
            message.Topic, Encoding.UTF8.GetString(message.Payload.Span), message.Retained, message.ResponseTopic,
            Encoding.UTF8.GetString(message.CorrelationData.Span)));
        Assert.Equal("0 1 90 id8 world", await subscriber.NextAsync());
        var status = probe.Session.GetStatus();
        Assert.Equal((true, "5", 1L, 1L, 0L), (status.Connected, status.ProtocolVersion, status.Connections, status.MessagesReceived, status.PublishDropped));
    }

    [Fact]
    public async Task A_message_published_without_properties_has_none()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var probe = await ConnectAsync(Options(broker.Port));

        await broker.PublishAsync("-q", "1", "-t", "base/in/x", "-n");
        var message = await probe.NextAsync();

        Assert.Null(message.ResponseTopic);
        Assert.Equal(0, message.Payload.Length + message.CorrelationData.Length);
    }

    [Fact]
    public async Task A_message_above_the_limit_is_counted_and_not_delivered()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var probe = await ConnectAsync(Options(broker.Port));
        var file = Path.Combine(broker.Folder, "large");
        await File.WriteAllBytesAsync(file, new byte[MqttSession.MaxPayloadBytes + 1]);

        await broker.PublishAsync("-q", "1", "-t", "base/in/large", "-f", file);
        await broker.PublishAsync("-q", "1", "-t", "base/in/small", "-m", "x");

        Assert.Equal("base/in/small", (await probe.NextAsync()).Topic);
        Assert.Equal(1, probe.Session.GetStatus().ReceiveDropped);
    }

    [Fact]
    public async Task A_clean_end_sends_what_is_queued_and_no_will()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var subscriber = await MosquittoSubscriber.StartAsync(broker, "base/#", "%t %p");
        var probe = await ConnectAsync(Options(broker.Port));

        Assert.True(probe.Session.Publish("base/status", "farewell"u8, 1, retain: true));
        probe.Dispose();
        await broker.PublishAsync("-t", "base/after", "-m", "x");

        Assert.Equal("base/status farewell", await subscriber.NextAsync());
        Assert.Equal("base/after x", await subscriber.NextAsync());
        Assert.False(probe.Session.Publish("base/status", "late"u8, 1, retain: true));
    }

    [Fact]
    public async Task After_a_broker_restart_it_reconnects_and_subscribes_again()
    {
        await using var broker = new MosquittoBroker();
        await broker.StartAsync();
        using var probe = await ConnectAsync(Options(broker.Port));
        await broker.StopAsync();
        await probe.DisconnectedAsync();
        Assert.False(probe.Session.Publish("base/out", "nobody"u8, 1, retain: false));
        Assert.Equal(1, probe.Session.GetStatus().PublishDropped);

        await broker.StartAsync();
        await probe.ConnectedAsync();
        probe.Session.Subscribe("base/later", 1, noLocal: true);
        await broker.PublishAsync("-q", "1", "-t", "base/in/x", "-m", "again");

        Assert.Equal("base/in/x", (await probe.NextAsync()).Topic);
        Assert.Equal((2L, "5"), (probe.Session.GetStatus().Connections, probe.Session.GetStatus().ProtocolVersion));
    }

    [Fact]
    public async Task A_name_and_password_are_sent_and_a_wrong_one_is_explained()
    {
        await using var broker = new MosquittoBroker("allow_anonymous false\npassword_file {folder}/passwords");
        var file = Path.Combine(broker.Folder, "passwords");
        using (var tool = System.Diagnostics.Process.Start("mosquitto_passwd", ["-c", "-b", file, "agent", "secret"]))
        {
            await tool.WaitForExitAsync();
            Assert.Equal(0, tool.ExitCode);
        }

        await broker.StartAsync();
        using var good = await ConnectAsync(Options(broker.Port) with { UserName = "agent", Password = "secret" });
        using var bad = new Probe(Options(broker.Port) with { UserName = "agent", Password = "guess", Device = "bad" });
        bad.Session.Start("base/status", "offline"u8);

        Assert.Equal("refused: Not authorized (code 135); set mqtt.userName and mqtt.password, or allow the account in the broker's access list", await bad.FailureAsync());
    }

    [Fact]
    public async Task TLS_verifies_the_brokers_certificate_against_the_authority()
    {
        await using var broker = new MosquittoBroker("allow_anonymous true\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key");
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var caFile = Path.Combine(broker.Folder, "broker.pem");
        await File.WriteAllTextAsync(caFile, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "broker.key"), key.ExportPkcs8PrivateKeyPem());
        await broker.StartAsync();

        using (var trusted = await ConnectAsync(Options(broker.Port) with { CaFile = caFile }))
        {
            Assert.True(trusted.Session.IsConnected);
        }

        using var plain = new Probe(Options(broker.Port) with { Device = "plain" });
        plain.Session.Start("base/status", "offline"u8);
        Assert.StartsWith("cannot connect: ", await plain.FailureAsync());

        using var other = RSA.Create(2048);
        using var stranger = new CertificateRequest("CN=stranger", other, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var strangerFile = Path.Combine(broker.Folder, "stranger.pem");
        await File.WriteAllTextAsync(strangerFile, stranger.ExportCertificatePem());
        using var doubting = new Probe(Options(broker.Port) with { CaFile = strangerFile, Device = "doubting" });
        doubting.Session.Start("base/status", "offline"u8);
        Assert.Contains("certificate verify failed", await doubting.FailureAsync());
    }

    [Fact]
    public async Task A_client_certificate_is_shown_to_a_broker_that_asks_for_one()
    {
        await using var broker = new MosquittoBroker(
            "cafile {folder}/ca.pem\ncertfile {folder}/broker.pem\nkeyfile {folder}/broker.key\nrequire_certificate true\nuse_identity_as_username true\n" +
            "allow_anonymous false\nacl_file {folder}/acl");
        await File.WriteAllTextAsync(Path.Combine(broker.Folder, "acl"), "user porch\ntopic readwrite base/#\n");
        using var authorityKey = RSA.Create(2048);
        var request = new CertificateRequest("CN=Home", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        string InFolder(string name) => Path.Combine(broker.Folder, name);
        async Task IssueAsync(string subject, string name)
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest($"CN={subject}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            using var certificate = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
            await File.WriteAllTextAsync(InFolder($"{name}.pem"), certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(InFolder($"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        }

        await File.WriteAllTextAsync(InFolder("ca.pem"), authority.ExportCertificatePem());
        await IssueAsync("127.0.0.1", "broker");
        await IssueAsync("porch", "porch");
        await broker.StartAsync();
        var options = Options(broker.Port) with { CaFile = InFolder("ca.pem"), CertificateFile = InFolder("porch.pem"), KeyFile = InFolder("porch.key") };
        using (var known = await ConnectAsync(options))
        {
            // The access list knows the certificate's name: without it the message would not come back.
            Assert.True(known.Session.Publish("base/in/x", "hello"u8, 1, retain: false));
            Assert.Equal("base/in/x", (await known.NextAsync()).Topic);
        }

        using var nameless = new Probe(options with { CertificateFile = null, KeyFile = null, Device = "nameless" });
        nameless.Session.Start("base/status", "offline"u8);
        Assert.StartsWith("cannot connect: ", await nameless.FailureAsync());
    }

    [Fact]
    public async Task A_refused_subscription_is_named_in_the_log()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var log = new LogCollector();
        using var session = new MqttSession(
            Options(((IPEndPoint)listener.LocalEndpoint).Port), new Microsoft.Extensions.Logging.Logger<MqttSession>(log));
        session.Subscribe("base/in/+", 1, noLocal: false);
        session.Start("base/status", "offline"u8);
        using var broker = await listener.AcceptTcpClientAsync().WaitAsync(s_patience);
        Assert.Equal(5, (await ReadConnectAsync(broker)).Version);

        // CONNACK with no properties; SUBSCRIBE has its packet identifier behind the fixed header; SUBACK with reason 0x87 (MQTT 5 §3.2, §3.8, §3.9).
        await broker.GetStream().WriteAsync(new byte[] { 0x20, 3, 0, 0, 0 });
        var subscribe = new byte[2 + 2 + 1 + 2 + "base/in/+".Length + 1];
        await broker.GetStream().ReadExactlyAsync(subscribe).AsTask().WaitAsync(s_patience);
        await broker.GetStream().WriteAsync(new byte[] { 0x90, 4, subscribe[2], subscribe[3], 0, 0x87 });

        Assert.Equal(
            "The MQTT broker refused the subscription base/in/+ (code 135); allow it to the agent's account in the broker's access list", await log.NextAsync());
    }

    // CONNACK of MQTT 5 with reason 0x84, of MQTT 3.1.1 with return code 1, and none at all.
    [Theory]
    [InlineData(new byte[] { 0x20, 3, 0, 0x84, 0 })]
    [InlineData(new byte[] { 0x20, 2, 0, 1 })]
    [InlineData(new byte[] { })]
    public async Task A_broker_that_knows_only_3_1_1_is_spoken_to_in_3_1_1(byte[] refusal)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var probe = new Probe(Options(((IPEndPoint)listener.LocalEndpoint).Port));
        probe.Session.Subscribe("base/in/+", 1, noLocal: true);
        probe.Session.Start("base/status", "offline"u8);

        using (var first = await listener.AcceptTcpClientAsync().WaitAsync(s_patience))
        {
            Assert.Equal(5, (await ReadConnectAsync(first)).Version);
            await first.GetStream().WriteAsync(refusal);
            first.Client.Shutdown(SocketShutdown.Send);
        }

        using var second = await listener.AcceptTcpClientAsync().WaitAsync(s_patience);
        var connect = await ReadConnectAsync(second);
        Assert.Equal(4, connect.Version);
        await second.GetStream().WriteAsync(new byte[] { 0x20, 2, 0, 0 });
        await probe.ConnectedAsync();

        // SUBSCRIBE (MQTT 3.1.1 §3.8): no options beyond the QoS.
        var subscribe = new byte[2 + 2 + 2 + "base/in/+".Length + 1];
        await second.GetStream().ReadExactlyAsync(subscribe).AsTask().WaitAsync(s_patience);
        Assert.Equal(0x82, subscribe[0]);
        Assert.Equal(1, subscribe[^1]);
        Assert.Equal("3.1.1", probe.Session.GetStatus().ProtocolVersion);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_reported_and_version_5_is_kept()
    {
        using var probe = new Probe(Options(MosquittoBroker.FreePort()));
        probe.Session.Start("base/status", "offline"u8);

        Assert.Contains("refused", await probe.FailureAsync());
        Assert.Equal("5", probe.Session.GetStatus().ProtocolVersion);
    }

    [Fact]
    public void Options_that_cannot_work_fail_at_the_start()
    {
        using var nowhere = new MqttSession(new MqttOptions(), NullLogger<MqttSession>.Instance);
        Assert.Throws<InvalidOperationException>(() => nowhere.Start("s", "offline"u8));
        using var missing = new MqttSession(new MqttOptions { Host = "h", CaFile = "/nonexistent/ca.pem" }, NullLogger<MqttSession>.Instance);
        Assert.Contains("mqtt.caFile names /nonexistent/ca.pem", Assert.Throws<FileNotFoundException>(() => missing.Start("s", "offline"u8)).Message);
        using var half = new MqttSession(new MqttOptions { Host = "h", KeyFile = "/dev/null" }, NullLogger<MqttSession>.Instance);
        Assert.Contains("mqtt.caFile, mqtt.certificateFile and mqtt.keyFile", Assert.Throws<InvalidOperationException>(() => half.Start("s", "offline"u8)).Message);
    }

    /// <summary>The protocol level and the will flag of a CONNECT (MQTT 3.1.1 §3.1, MQTT 5 §3.1).</summary>
    private static async Task<(byte Version, bool HasRetainedWill)> ReadConnectAsync(TcpClient client)
    {
        var stream = client.GetStream();
        var header = new byte[2];
        await stream.ReadExactlyAsync(header).AsTask().WaitAsync(s_patience);
        Assert.Equal(0x10, header[0]);
        var body = new byte[header[1]];
        await stream.ReadExactlyAsync(body).AsTask().WaitAsync(s_patience);
        Assert.Equal("MQTT", Encoding.ASCII.GetString(body, 2, 4));
        return (body[6], (body[7] & 0x24) == 0x24);
    }

    private sealed class Probe : IDisposable
    {
        private readonly Channel<MqttMessage> _messages = Channel.CreateUnbounded<MqttMessage>();
        private readonly Channel<bool> _connected = Channel.CreateUnbounded<bool>();
        private readonly Channel<string> _disconnected = Channel.CreateUnbounded<string>();
        private readonly FailureLogger _failures = new();

        public Probe(MqttOptions options)
        {
            Session = new MqttSession(options, _failures);
            Session.Connected += () => _connected.Writer.TryWrite(true);
            Session.Disconnected += reason => _disconnected.Writer.TryWrite(reason);
            Session.MessageReceived += message => _messages.Writer.TryWrite(message);
        }

        public MqttSession Session { get; }

        public async Task ConnectedAsync() => await _connected.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

        public async Task DisconnectedAsync() => await _disconnected.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

        public async Task<MqttMessage> NextAsync() => await _messages.Reader.ReadAsync().AsTask().WaitAsync(s_patience);

        /// <summary>The reason that the log gives for the next failed attempt.</summary>
        public async Task<string> FailureAsync() => await _failures.NextAsync();

        public void Dispose() => Session.Dispose();
    }
}
