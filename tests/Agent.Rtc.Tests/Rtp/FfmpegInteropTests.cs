using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Agent.Rtc.Rtp;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Srtp;

namespace Agent.Rtc.Tests.Rtp;

/// <summary>
/// FFmpeg as the receiver: an x264 stream goes through packetizer, sender and SRTP over loopback UDP, and FFmpeg decrypts,
/// depacketizes and decodes it to the same pictures as from the file. It ends by our BYE.
/// </summary>
public sealed class FfmpegInteropTests
{
    /// <summary>So few, at this bitrate, that all of them fit into the kernel's socket buffer and need no pacing.</summary>
    private const int Frames = 40;
    // Columns of /proc/net/udp: local address and port; bytes waiting to be sent and to be read.
    private const int UdpLocalAddressField = 1;
    private const int UdpQueuesField = 4;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(H264Packetizer.DefaultMaximumPayloadSize)]
    [InlineData(400)]
    public async Task Ffmpeg_decodes_the_same_pictures_from_our_srtp_as_from_the_file(int maximumPayload)
    {
        using var folder = new TemporaryFolder();
        var stream = Path.Combine(folder.Path, "stream.h264");
        Run(
            "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=30", "-frames:v", $"{Frames}", "-c:v", "libx264", "-profile:v", "baseline", "-tune",
            "zerolatency", "-b:v", "300k", "-g", "20", "-x264-params", "aud=1:slices=3", "-f", "h264", stream);
        var expected = GetHashes(Run("-i", stream, "-f", "framemd5", "-"));
        Assert.Equal(Frames, expected.Count);

        const SrtpProfile Profile = SrtpProfile.AesCm128HmacSha1_80;
        var port = FindPortPair();
        var session = Path.Combine(folder.Path, "session.sdp");
        File.WriteAllText(session, string.Join("\r\n",
            "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=test", "c=IN IP4 127.0.0.1", "t=0 0", $"m=video {port} RTP/SAVP 102",
            $"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{Convert.ToBase64String(SrtpPackets.MakeKey(Profile))}",
            "a=rtpmap:102 H264/90000", "a=fmtp:102 packetization-mode=1", ""));
        using var receiver = Start("-protocol_whitelist", "file,udp,rtp,srtp", "-i", session, "-fps_mode", "passthrough", "-f", "framemd5", "-");
        var output = receiver.StandardOutput.ReadToEndAsync();
        var errors = receiver.StandardError.ReadToEndAsync();
        WaitUntil(() => GetSockets(port).Any() && GetSockets(port + 1).Any(), "FFmpeg did not open its ports.");
        Send(File.ReadAllBytes(stream), port, maximumPayload, Profile);

        using var limit = new CancellationTokenSource(s_limit);
        try
        {
            await receiver.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            receiver.Kill();
            Assert.Fail($"FFmpeg did not end at our BYE: {await errors}");
        }

        Assert.Equal(expected, GetHashes(await output));
    }

    private static void Send(byte[] stream, int port, int maximumPayload, SrtpProfile profile)
    {
        var now = MonotonicTime.From(TimeSpan.FromSeconds(5));
        var packetizer = new H264Packetizer(maximumPayload);
        var sender = new RtpVideoSender(
            new RtpVideoSenderOptions(1, 2, 102, null, "cname", null, default, false), new SeededRandomSource(1), now);
        using var srtp = SrtpPackets.MakeContext(profile);
        using var socket = new UdpClient();
        var buffer = new byte[1500];
        uint timestamp = 0;
        foreach (var (ranges, isKeyFrame) in SplitAccessUnits(stream))
        {
            var frame = packetizer.Packetize(stream, ranges, isKeyFrame, timestamp, now);
            sender.WriteFrame(frame, now);
            frame.Release();
            while (sender.TryWriteRtp(buffer, now, DateTimeOffset.UnixEpoch, out var length))
                socket.Send(buffer, srtp.ProtectRtp(buffer, length), new IPEndPoint(IPAddress.Loopback, port));

            WriteRtcp();
            timestamp += 3000;
            now += RtpSenderHarness.FrameInterval;
        }

        // FFmpeg reads the RTCP port first and ends at the BYE, whatever waits on the other.
        WaitUntil(() => GetSockets(port).All(fields => fields[UdpQueuesField].EndsWith(":00000000", StringComparison.Ordinal)), "FFmpeg did not read all packets.");
        sender.Close();
        WriteRtcp();

        void WriteRtcp()
        {
            if (sender.TryWriteRtcp(buffer, now, DateTimeOffset.UnixEpoch + now.SinceZero, out var length))
                socket.Send(buffer, srtp.ProtectRtcp(buffer, length), new IPEndPoint(IPAddress.Loopback, port + 1));
        }
    }

    /// <summary>Access units begin with a delimiter, for which x264 was asked.</summary>
    private static IEnumerable<(Range[] NalUnits, bool IsKeyFrame)> SplitAccessUnits(byte[] stream)
    {
        var starts = new List<int>();
        for (var i = 0; i + 3 < stream.Length; i++)
        {
            if (stream[i] == 0 && stream[i + 1] == 0 && stream[i + 2] == 1)
                starts.Add(i + 3);
        }

        var units = new List<Range>();
        for (var i = 0; i < starts.Count; i++)
        {
            var end = i + 1 < starts.Count ? starts[i + 1] - 3 : stream.Length;
            while (stream[end - 1] == 0)
                end--;

            if (Type(starts[i]) == H264NalUnitType.AccessUnitDelimiter && units.Count > 0)
            {
                yield return ([.. units], units.Exists(IsIdr));
                units.Clear();
            }

            units.Add(starts[i]..end);
        }

        yield return ([.. units], units.Exists(IsIdr));

        int Type(int start) => stream[start] & H264NalUnitType.TypeMask;
        bool IsIdr(Range unit) => Type(unit.Start.Value) == H264NalUnitType.Idr;
    }

    private static List<string> GetHashes(string frameMd5) =>
        [.. frameMd5.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line[(line.LastIndexOf(',') + 1)..].Trim())];

    private static int FindPortPair()
    {
        while (true)
        {
            using var first = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)first.Client.LocalEndPoint!).Port;
            if (port % 2 == 0 && !GetSockets(port + 1).Any())
                return port;
        }
    }

    /// <summary>The lines of /proc/net/udp for a local port.</summary>
    private static IEnumerable<string[]> GetSockets(int port) =>
        from line in File.ReadLines("/proc/net/udp").Skip(1)
        let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where fields[UdpLocalAddressField].EndsWith($":{port:X4}", StringComparison.Ordinal)
        select fields;

    private static void WaitUntil(Func<bool> condition, string otherwise)
    {
        for (var watch = Stopwatch.StartNew(); !condition(); Thread.Sleep(10))
            Assert.True(watch.Elapsed < s_limit, otherwise);
    }

    private static string Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.GetAwaiter().GetResult());
        return output;
    }

    private static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("ffmpeg", ["-hide_banner", "-nostdin", "-loglevel", "warning", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("rtp-test-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
