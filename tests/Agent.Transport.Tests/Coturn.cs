using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Agent.Transport.Tests;

/// <summary>A real coturn on free loopback ports, with ephemeral credentials, nonces and allocations that last for seconds, and TLS by a certificate of its own.</summary>
internal sealed class Coturn : IAsyncDisposable
{
    internal const string Secret = "north";

    private readonly string _folder = Directory.CreateTempSubdirectory("agent-turn-").FullName;
    private readonly List<string> _output = [];
    private readonly int _nonceSeconds;
    private Process? _process;

    /// <param name="nonceSeconds">How long a nonce is good.</param>
    internal Coturn(int nonceSeconds)
    {
        _nonceSeconds = nonceSeconds;
        Port = FreePort();
        TlsPort = FreePort();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=coturn test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    internal int Port { get; }

    internal int TlsPort { get; }

    internal string CertificateFile => Path.Combine(_folder, "cert.pem");

    /// <summary>What it has written so far.</summary>
    internal string Output
    {
        get
        {
            lock (_output)
                return string.Join('\n', _output);
        }
    }

    internal async Task StartAsync()
    {
        var configuration = Path.Combine(_folder, "turnserver.conf");
        await File.WriteAllLinesAsync(configuration, [
            "listening-ip=127.0.0.1", "relay-ip=127.0.0.1", $"listening-port={Port}", $"tls-listening-port={TlsPort}", "realm=test",
            "use-auth-secret", $"static-auth-secret={Secret}", $"stale-nonce={_nonceSeconds}", "max-allocate-lifetime=8", "allow-loopback-peers", "no-cli", "no-dtls", "verbose", "log-file=stdout",
            $"cert={CertificateFile}", $"pkey={Path.Combine(_folder, "key.pem")}", $"pidfile={Path.Combine(_folder, "pid")}",
            $"userdb={Path.Combine(_folder, "db")}",
        ]);
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = Process.Start(new ProcessStartInfo("turnserver", ["-c", configuration]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += (_, line) => Note(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Note(line.Data, ready);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    internal async Task StopAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await StopAsync();
        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Note(string? line, TaskCompletionSource ready)
    {
        lock (_output)
            _output.Add(line ?? "");
        if (line is null)
            ready.TrySetException(new InvalidOperationException($"turnserver ended: {Output}"));
        else if (line.Contains("SQLite DB connection success", StringComparison.Ordinal)) // the last step before it serves
            ready.TrySetResult();
    }
}
