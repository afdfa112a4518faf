using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Agent.Mqtt.Tests;

/// <summary>A real mosquitto on a free loopback port.</summary>
internal sealed class MosquittoBroker : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("agent-mqtt-").FullName;
    private readonly string _extraConfiguration;
    private readonly bool _keepsState;
    private Process? _process;

    /// <param name="extraConfiguration">Lines for mosquitto.conf after the listener's; {folder} stands for <see cref="Folder"/>.</param>
    /// <param name="keepsState">It writes its retained messages to disk when <see cref="SaveAsync"/> says so, and reads them at the next start.</param>
    public MosquittoBroker(string extraConfiguration = "allow_anonymous true", bool keepsState = false)
    {
        _keepsState = keepsState;
        _extraConfiguration = extraConfiguration;
        Port = FreePort();
    }

    public int Port { get; }

    public string Folder => _folder;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Starts it and waits until it accepts connections.</summary>
    public async Task StartAsync()
    {
        var configuration = Path.Combine(_folder, "mosquitto.conf");
        await File.WriteAllTextAsync(
            configuration,
            $"listener {Port} 127.0.0.1\n{_extraConfiguration.Replace("{folder}", _folder, StringComparison.Ordinal)}\nuser root\nlog_dest stderr\n" +
            (_keepsState ? $"persistence true\npersistence_location {_folder}/\nautosave_interval 0\n" : "persistence false\n"));
        var start = new ProcessStartInfo("mosquitto", ["-c", configuration]) { RedirectStandardError = true };
        start.Environment["PATH"] += ":/usr/sbin";
        if (File.Exists("/usr/sbin/mosquitto"))
        {
            start.FileName = "/usr/sbin/mosquitto";
        }

        _process = Process.Start(start)!;
        while (await _process.StandardError.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } line)
        {
            if (line.EndsWith("running", StringComparison.Ordinal))
            {
                _ = _process.StandardError.ReadToEndAsync();
                return;
            }
        }

        throw new InvalidOperationException($"mosquitto did not start: exit code {_process.ExitCode}.");
    }

    /// <summary>Has it write its retained messages to disk (mosquitto(8), SIGUSR1), and waits until they are there.</summary>
    public async Task SaveAsync()
    {
        using var watcher = new FileSystemWatcher(_folder, "mosquitto.db");
        var isSaved = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        watcher.Renamed += (_, _) => isSaved.TrySetResult();
        watcher.EnableRaisingEvents = true;
        using var kill = Process.Start("kill", ["-USR1", $"{_process!.Id}"]);
        await isSaved.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Kills it: what it has not saved is lost.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            _process = null;
        }
    }

    /// <summary>Publishes with mosquitto_pub.</summary>
    public async Task PublishAsync(params string[] arguments)
    {
        using var process = Process.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{Port}", .. arguments]);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>Every retained message, by topic in hexadecimal.</summary>
    public async Task<SortedDictionary<string, string>> ReadRetainedAsync(params string[] login)
    {
        // Mosquitto queues what is retained when it takes the subscription: all of it is there before a message published afterwards.
        using var subscriber = await MosquittoSubscriber.StartAsync(this, "#", "%r %t %x", login);
        var marker = $"marker/{Guid.NewGuid()}";
        await PublishAsync(["-q", "1", "-t", marker, "-n", .. login]);
        var tree = new SortedDictionary<string, string>(StringComparer.Ordinal);
        while ((await subscriber.NextAsync()).Split(' ') is var message && message[1] != marker)
        {
            if (message[0] == "1") tree[message[1]] = message[2];
        }

        return tree;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A running mosquitto_sub whose lines the test reads; stdbuf makes it write each at once.</summary>
internal sealed class MosquittoSubscriber : IDisposable
{
    private readonly Process _process;

    private MosquittoSubscriber(Process process) => _process = process;

    /// <summary>Subscribes and returns once the broker has granted it.</summary>
    public static async Task<MosquittoSubscriber> StartAsync(MosquittoBroker broker, string topic, string format, params string[] more)
    {
        var process = Process.Start(new ProcessStartInfo(
            "stdbuf", ["-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1", "-p", $"{broker.Port}", "-q", "1", "-t", topic, "-F", "> " + format, .. more])
        {
            RedirectStandardOutput = true,
        })!;
        var subscriber = new MosquittoSubscriber(process);
        while (!(await subscriber.ReadLineAsync()).StartsWith("Subscribed", StringComparison.Ordinal))
        {
        }

        return subscriber;
    }

    /// <summary>The next message in the format given.</summary>
    public async Task<string> NextAsync()
    {
        while (true)
        {
            var line = await ReadLineAsync();
            if (line.StartsWith("> ", StringComparison.Ordinal))
            {
                return line[2..];
            }
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.Dispose();
    }

    private async Task<string> ReadLineAsync() =>
        await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? throw new InvalidOperationException("mosquitto_sub ended.");
}
