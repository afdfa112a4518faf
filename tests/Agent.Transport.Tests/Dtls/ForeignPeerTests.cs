using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Agent.Rtc.Dtls;
using Agent.Rtc.Srtp;

namespace Agent.Transport.Tests.Dtls;

/// <summary>The <c>openssl</c> command as a peer that this code did not write, over real UDP on the loopback interface.</summary>
public sealed partial class ForeignPeerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string _folder = Directory.CreateTempSubdirectory("agent-dtls-").FullName;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly IDtlsEndpoint _endpoint = DtlsPair.ServerContext.CreateEndpoint();
    private readonly DtlsFingerprint _foreignFingerprint;
    private readonly StringBuilder _output = new();
    private EndPoint _peer = new IPEndPoint(IPAddress.Any, 0);
    private Process? _process;
    private int _applicationRecords;

    public ForeignPeerTests()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=foreign", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(Path.Combine(_folder, "cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        _foreignFingerprint = new DtlsFingerprint("sha-256", SHA256.HashData(certificate.RawData));
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    [Theory]
    [InlineData("SRTP_AES128_CM_SHA1_80", SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData("SRTP_AEAD_AES_128_GCM", SrtpProfile.AeadAes128Gcm)]
    public void An_openssl_client_gets_the_same_keys(string foreignProfile, SrtpProfile expected)
    {
        _endpoint.Start(DtlsRole.Server, _foreignFingerprint, DtlsPair.Now);
        StartOpenSsl("s_client", $"-connect 127.0.0.1:{((IPEndPoint)_socket.LocalEndPoint!).Port}", foreignProfile, expected);
        AssertSameKeys(expected);

        // What the command reads becomes application data, which is ignored; "Q" makes it say close_notify.
        _process!.StandardInput.Write("hello\n");
        _process.StandardInput.Flush();
        PumpUntil(() => _applicationRecords > 0);
        Assert.Equal(DtlsState.Connected, _endpoint.State);

        _process.StandardInput.Write("Q\n");
        _process.StandardInput.Flush();
        PumpUntil(() => _endpoint.State == DtlsState.Closed);
    }

    [Theory]
    [InlineData("SRTP_AES128_CM_SHA1_80", SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData("SRTP_AEAD_AES_128_GCM", SrtpProfile.AeadAes128Gcm)]
    public void An_openssl_server_gets_the_same_keys(string foreignProfile, SrtpProfile expected)
    {
        var port = FreePort();
        StartOpenSsl("s_server", $"-accept 127.0.0.1:{port} -Verify 1", foreignProfile, expected);
        _peer = new IPEndPoint(IPAddress.Loopback, port);
        _endpoint.Start(DtlsRole.Client, _foreignFingerprint, DtlsPair.Now);
        AssertSameKeys(expected);
    }

    [Fact]
    public void An_openssl_server_without_srtp_is_refused()
    {
        var port = FreePort();
        StartOpenSsl("s_server", $"-accept 127.0.0.1:{port} -Verify 1", null, SrtpProfile.AesCm128HmacSha1_80);
        _peer = new IPEndPoint(IPAddress.Loopback, port);
        _endpoint.Start(DtlsRole.Client, _foreignFingerprint, DtlsPair.Now);
        PumpUntil(() => _endpoint.State == DtlsState.Failed);
        Assert.Contains("use_srtp", _endpoint.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void An_openssl_client_without_a_certificate_is_refused()
    {
        _endpoint.Start(DtlsRole.Server, _foreignFingerprint, DtlsPair.Now);
        var port = ((IPEndPoint)_socket.LocalEndPoint!).Port;
        StartOpenSsl("s_client", $"-connect 127.0.0.1:{port}", "SRTP_AES128_CM_SHA1_80", SrtpProfile.AesCm128HmacSha1_80, withCertificate: false);
        PumpUntil(() => _endpoint.State == DtlsState.Failed);
        Assert.Contains("peer did not return a certificate", _endpoint.Failure, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (_process is { HasExited: false })
            _process.Kill();
        _process?.Dispose();
        _endpoint.Dispose();
        _socket.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void AssertSameKeys(SrtpProfile expected)
    {
        string? foreignKeys = null;
        PumpUntil(() =>
        {
            lock (_output)
                foreignKeys = KeyingMaterial().Match(_output.ToString()) is { Success: true } match ? match.Groups[1].Value : null;
            return foreignKeys is not null && _endpoint.State == DtlsState.Connected;
        });

        Assert.Equal("DTLSv1.2", _endpoint.ProtocolVersion);
        Assert.Equal(foreignKeys, Convert.ToHexString(OpenSslDtlsEndpointTests.ExportKeys(_endpoint, expected)));
    }

    private void StartOpenSsl(string command, string arguments, string? srtpProfile, SrtpProfile profile, bool withCertificate = true)
    {
        var start = new ProcessStartInfo(
            "openssl",
            $"{command} -dtls1_2 {arguments} -keymatexport EXTRACTOR-dtls_srtp -keymatexportlen {SrtpContext.GetKeyingMaterialLength(profile)}" +
            (withCertificate ? " -cert cert.pem -key key.pem" : "") + (srtpProfile is null ? "" : $" -use_srtp {srtpProfile}"))
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += OnOutput;
        _process.ErrorDataReceived += OnOutput;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void OnOutput(object sender, DataReceivedEventArgs e)
    {
        lock (_output)
            _output.AppendLine(e.Data);
    }

    /// <summary>Carries datagrams between the socket and the endpoint until the condition holds.</summary>
    private void PumpUntil(Func<bool> condition)
    {
        var buffer = new byte[2048];
        var deadline = DtlsPair.Now + Patience;
        while (!condition())
        {
            if (DtlsPair.Now >= deadline)
            {
                lock (_output)
                    Assert.Fail($"The endpoint is {_endpoint.State} ({_endpoint.Failure}); openssl said:\n{_output}");
            }

            while (_endpoint.TryDequeueTransmit(buffer, out var length))
                _socket.SendTo(buffer.AsSpan(0, length), _peer);
            if (_socket.Poll(TimeSpan.FromMilliseconds(20), SelectMode.SelectRead))
            {
                const byte applicationData = 23; // RFC 5246 §6.2.1
                var received = _socket.ReceiveFrom(buffer, ref _peer);
                _applicationRecords += buffer[0] == applicationData ? 1 : 0;
                _endpoint.HandleDatagram(buffer.AsSpan(0, received), DtlsPair.Now);
            }

            _endpoint.HandleTimeout(DtlsPair.Now);
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    [GeneratedRegex("Keying material: ([0-9A-F]+)")]
    private static partial Regex KeyingMaterial();
}
