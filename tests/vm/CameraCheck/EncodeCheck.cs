using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Agent.Devices;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using Agent.Media;
using Microsoft.Extensions.Logging.Abstractions;

namespace CameraCheck;

/// <summary>
/// Encodes a V4L2 camera's frames with the V4L2 encoder of this machine. Options: size=WxH rate=R format=F (the camera's), coded=FWHT
/// (instead of H264), frames=N (read from the camera), profile=P, id=HEX (profile-level-id that it must become), gop=SECONDS,
/// path=dmabuf|copy (how frames must go in), dmabuf=wrong (the encoder is given DMABUFs that it cannot import), with reason=TEXT (why they are copied), force=N (frame that must become an IDR),
/// bitrate=N:BPS (asked for with frame N; the simulated encoder writes it into its pictures), at=N:COMMAND (a shell command run before
/// frame N), skips=none|some, lost=N (frames that become no picture, after which an IDR must follow), missed=N (the camera finds no
/// buffer at most so often; an emulated machine alone makes it miss some), record=NAME (the stream to /out/NAME.h264 and the pictures' Adler-32 sums to /out/NAME.sums),
/// fails=TEXT within=MS (the encoder must fail with this in its message).
/// </summary>
internal static class EncodeCheck
{
    /// <summary>Frames in which the runtime may still set itself up before allocation is measured.</summary>
    private const int WarmUpFrames = 5;

    /// <summary>Lossless 640x480 pictures of a moving pattern, some hundred of them.</summary>
    private const int RecordBytes = 128 << 20;

    private const int MostPictures = 1000;

    /// <summary>As many as vivid grants the camera.</summary>
    private const int CameraBuffers = 4;

    /// <summary>Frames that may be in the encoder when one is found to be damaged.</summary>
    private const int FramesInside = 2;

    public static void Run(string path, ILookup<string, string> options)
    {
        var wish = StreamCheck.Wish(path, options);
        var coded = Text(options, "coded") == "FWHT" ? Videodev2.V4L2_PIX_FMT_FWHT : Videodev2.V4L2_PIX_FMT_H264;
        var found = V4l2M2mDevices.Find("/dev", coded, out var obstacle);
        Tap.Check(found.Count == 1, "one V4L2 encoder is found", found.Count == 0 ? obstacle : string.Join(", ", found.Select(device => device.Path)));
        if (found.Count != 1) return;
        var target = found[0];
        var name = $"{path} {wish.PixelFormat ?? "any format"} {wish.Width}x{wish.Height} to {target.Card}";
        try
        {
            using var camera = new V4l2Camera(wish, new SourceDemand(OwnH264Use.Never, target.PixelFormats, new VideoEncoderOptions()));
            var record = new EncodeRecord(MostPictures, RecordBytes);
            var settings = new VideoEncoderOptions
            {
                Profile = Text(options, "profile") is { } profile ? Enum.Parse<H264Profile>(profile) : H264Profile.ConstrainedBaseline,
                KeyFrameIntervalSeconds = Number(options, "gop", 10),
            };
            using var encoder = new V4l2M2mEncoder(settings, camera.Format, new AccessUnitPool(), record.Add, target, NullLogger.Instance, coded);
            Tap.Note($"{name}: {camera.Format}, profile-level-id {encoder.ProfileLevelId}");
            if (Text(options, "fails") is { } failure)
            {
                Fail(camera, encoder, record, name, failure, options);
                return;
            }
            Encode(camera, encoder, record, name, coded, options);
        }
        catch (Exception exception) when (exception is VideoSourceException or VideoEncoderException)
        {
            Tap.Check(false, $"{name} encodes", exception.Message);
        }
    }

    private static void Encode(
        V4l2Camera camera, V4l2M2mEncoder encoder, EncodeRecord record, string name, uint coded, ILookup<string, string> options)
    {
        var frames = Number(options, "frames", 15);
        var (times, sums, forced, bitrateAt) = (new TimeSpan[frames], new uint[frames], Number(options, "force", -1), -1);
        var bitrate = options["bitrate"].Select(text => text.Split(':')).FirstOrDefault();
        var command = options["at"].Select(text => text.Split(':', 2)).FirstOrDefault();
        var (allocated, refusedBefore) = (0L, 0L);
        var wasTaken = new bool[frames];
        var misexported = options["dmabuf"].Any() ? Enumerable.Range(0, CameraBuffers).Select(_ => new MisexportedFrame()).ToArray() : null;
        for (var i = 0; i < frames; i++)
        {
            if (command is not null && i == Parse(command[0])) Shell(command[1]);
            if (bitrate is not null && i == Parse(bitrate[0]))
            {
                encoder.SetBitrate(Parse(bitrate[1]));
                bitrateAt = i;
            }
            var before = GC.GetAllocatedBytesForCurrentThread();
            var frame = camera.ReadFrame(CancellationToken.None)!;
            times[i] = frame.CapturedAt;
            if (options["record"].Any()) sums[i] = PictureCheck.Sum(frame);
            encoder.Encode(misexported is null ? frame : misexported[frame.BufferIndex].Of(frame), i == forced);
            allocated += i >= WarmUpFrames ? GC.GetAllocatedBytesForCurrentThread() - before : 0;
            // What the encoder loses is counted later.
            var refused = encoder.FramesSkipped - encoder.FramesLost;
            wasTaken[i] = refused == refusedBefore;
            refusedBefore = refused;
        }
        var missed = camera.FramesMissed;
        var started = Stopwatch.GetTimestamp();
        encoder.Dispose();
        var stopping = Stopwatch.GetElapsedTime(started);
        var pictures = record.Pictures.ToArray();
        var skipped = encoder.FramesSkipped;

        Tap.Note($"{name}: {pictures.Length} pictures of {frames} frames, {skipped} left out, {encoder.BytesCopied} bytes copied, "
            + $"{record.Bytes.Length} coded, camera missed {missed}, stopped in {stopping.TotalMilliseconds:0} ms");
        Tap.Check(pictures.Length > 0 && pictures.Length + skipped == frames, $"{name}: every frame becomes a picture or is counted as left out",
            $"{pictures.Length} pictures, {skipped} left out of {frames}");
        Tap.Check(pictures.All(picture => Array.IndexOf(times, picture.CapturedAt) >= 0), $"{name}: pictures have their frames' capture times");
        Tap.Check(pictures.Zip(pictures.Skip(1)).All(pair => pair.First.CapturedAt < pair.Second.CapturedAt), $"{name}: pictures come in order");
        Tap.Check(allocated == 0, $"{name}: no managed allocation per frame on the capture thread", $"{allocated} bytes");
        if (pictures.Length > WarmUpFrames)
        {
            var onEncoderThread = pictures[^1].Allocated - pictures[WarmUpFrames].Allocated;
            Tap.Check(onEncoderThread == 0, $"{name}: no managed allocation per frame on the encoder's thread", $"{onEncoderThread} bytes");
        }
        CheckPath(encoder, record, pictures, name, coded, options);
        if (coded == Videodev2.V4L2_PIX_FMT_H264) CheckH264(encoder, record, pictures, name, camera.Format, options);
        else CheckFwht(record, pictures, name, camera.Format);
        if (forced >= 0)
        {
            // The very next picture: the frame itself, or if there was no room for it, the first one after it. An encoder that is behind may
            // make it of a frame that it has inside.
            var next = Array.FindIndex(pictures, picture => picture.CapturedAt >= times[forced]);
            var isNext = next >= 0 && wasTaken[forced] == (pictures[next].CapturedAt == times[forced]);
            var isEarlier = options["skips"].Contains("some") && next > 0 && pictures[next - 1].IsKeyFrame;
            Tap.Check(isNext && (pictures[next].IsKeyFrame || isEarlier), $"{name}: a forced IDR is the very next picture");
        }
        if (bitrateAt >= 0)
        {
            // The driver may use it for frames that are inside already.
            var says = pictures.All(picture => picture.CapturedAt >= times[bitrateAt - FramesInside]
                ? picture.CapturedAt < times[bitrateAt] || record.Says(picture, $"bitrate={bitrate![1]} ")
                : !record.Says(picture, $"bitrate={bitrate![1]} "));
            Tap.Check(says, $"{name}: a bitrate is in force from the next picture on");
        }
        foreach (var skips in options["skips"])
            Tap.Check(skipped > 0 == (skips == "some"), $"{name}: frames left out: {skips}", $"{skipped}");
        foreach (var lost in options["lost"])
        {
            var gap = Array.FindIndex(times, time => wasTaken[Array.IndexOf(times, time)] && pictures.All(picture => picture.CapturedAt != time));
            Tap.Check(encoder.FramesLost == Parse(lost), $"{name}: {lost} frames become no picture", $"{encoder.FramesLost}");
            // What was already inside may come before.
            var recovers = gap >= 0 && pictures.Where(picture => picture.CapturedAt > times[gap]).Take(FramesInside + 1).Any(picture => picture.IsKeyFrame);
            Tap.Check(recovers, $"{name}: an IDR follows a damaged picture");
        }
        foreach (var most in options["missed"].Select(Parse))
            Tap.Check(missed <= most, $"{name}: the camera misses no more than {most} frames", $"it missed {missed}");
        CheckBuffersAreBack(camera, name);
        Tap.Check(stopping < TimeSpan.FromSeconds(1), $"{name}: it stops at once", $"{stopping.TotalMilliseconds:0} ms");
        foreach (var file in options["record"]) Save(file, record, pictures, times, sums);
    }

    private static void CheckPath(
        V4l2M2mEncoder encoder, EncodeRecord record, EncodedPicture[] pictures, string name, uint coded, ILookup<string, string> options)
    {
        foreach (var path in options["path"])
        {
            var isImported = path == "dmabuf";
            Tap.Check(isImported == (encoder.CopyReason is null), $"{name}: goes by {path}", $"{encoder.CopyReason}");
            Tap.Check(isImported == (encoder.BytesCopied == 0), $"{name}: bytes copied by {path}", $"{encoder.BytesCopied}");
            if (coded != Videodev2.V4L2_PIX_FMT_H264) continue;
            var memory = isImported ? "memory=DMABUF " : "memory=MMAP ";
            Tap.Check(pictures.All(picture => record.Says(picture, memory)), $"{name}: the driver saw {memory}");
        }
        foreach (var reason in options["reason"])
            Tap.Check(encoder.CopyReason?.Contains(reason, StringComparison.Ordinal) == true, $"{name}: copies because {reason}", $"{encoder.CopyReason}");
    }

    private static void CheckH264(
        V4l2M2mEncoder encoder, EncodeRecord record, EncodedPicture[] pictures, string name, VideoFormat format, ILookup<string, string> options)
    {
        Tap.Check(pictures is [{ IsKeyFrame: true }, ..], $"{name}: the first picture is an IDR");
        Tap.Check(pictures.All(picture => !picture.IsKeyFrame || picture.HasParameterSets), $"{name}: each IDR has its SPS and PPS");
        var position = 0;
        var bytes = record.Bytes;
        while (NalUnit.TryFindNext(bytes, ref position, out var range))
        {
            if (!SpsReader.TryRead(bytes[range], out var sps)) continue;
            Tap.Check(sps.ProfileLevelId == encoder.ProfileLevelId, $"{name}: profile-level-id is the SPS's", $"{encoder.ProfileLevelId}, {sps.ProfileLevelId}");
            Tap.Check((sps.Width, sps.Height) == (format.Width, format.Height), $"{name}: the SPS has the camera's size", $"{sps.Width}x{sps.Height}");
            break;
        }
        foreach (var id in options["id"]) Tap.Check(encoder.ProfileLevelId == id, $"{name}: profile-level-id is {id}", encoder.ProfileLevelId);
        if (!options["gop"].Any()) return;
        var most = Number(options, "gop", 0) * format.FramesPerSecond;
        var (since, isKept) = (0, pictures.Length > most);
        foreach (var picture in pictures)
        {
            since = picture.IsKeyFrame ? 0 : since + 1;
            isKept &= since < most;
        }
        Tap.Check(isKept, $"{name}: an IDR every {most} pictures");
    }

    /// <summary>struct fwht_cframe_hdr of the kernel's codec-fwht.h: two magic words, then big-endian words.</summary>
    private static void CheckFwht(EncodeRecord record, EncodedPicture[] pictures, string name, VideoFormat format)
    {
        const int HeaderLength = 44, WidthOffset = 12, HeightOffset = 16, SizeOffset = 40;
        ReadOnlySpan<byte> magic = [0x4f, 0x4f, 0x4f, 0x4f, 0xff, 0xff, 0xff, 0xff];
        var right = true;
        foreach (var picture in pictures)
        {
            var bytes = record.BytesOf(picture);
            right &= bytes.Length > HeaderLength && bytes.StartsWith(magic)
                && BinaryPrimitives.ReadInt32BigEndian(bytes[WidthOffset..]) == format.Width
                && BinaryPrimitives.ReadInt32BigEndian(bytes[HeightOffset..]) == format.Height
                && BinaryPrimitives.ReadInt32BigEndian(bytes[SizeOffset..]) == bytes.Length - HeaderLength;
        }
        Tap.Check(right, $"{name}: every access unit is one whole FWHT picture");
    }

    private static void Fail(
        V4l2Camera camera, V4l2M2mEncoder encoder, EncodeRecord record, string name, string text, ILookup<string, string> options)
    {
        var command = options["at"].Select(value => value.Split(':', 2)).Single();
        var limit = TimeSpan.FromMilliseconds(Number(options, "within", 2000));
        var started = 0L;
        var message = "nothing, it went on";
        for (var i = 0; started == 0 || Stopwatch.GetElapsedTime(started) < limit + TimeSpan.FromSeconds(5); i++)
        {
            if (i == Parse(command[0]))
            {
                Shell(command[1]);
                started = Stopwatch.GetTimestamp();
            }
            try
            {
                encoder.Encode(camera.ReadFrame(CancellationToken.None)!, forceKeyFrame: false);
            }
            catch (VideoEncoderException exception)
            {
                message = exception.Message;
                break;
            }
        }
        var elapsed = started == 0 ? TimeSpan.MaxValue : Stopwatch.GetElapsedTime(started);
        Tap.Note($"{name}: after {elapsed.TotalMilliseconds:0} ms and {record.Count} pictures: {message}");
        Tap.Check(message.Contains(text, StringComparison.Ordinal), $"{name}: '{command[1]}' fails with '{text}'", message);
        Tap.Check(elapsed < limit, $"{name}: '{command[1]}' is noticed within {limit.TotalMilliseconds:0} ms", $"{elapsed.TotalMilliseconds:0} ms");
        started = Stopwatch.GetTimestamp();
        encoder.Dispose();
        var stopping = Stopwatch.GetElapsedTime(started);
        Tap.Check(stopping < TimeSpan.FromSeconds(1), $"{name}: it stops at once", $"{stopping.TotalMilliseconds:0} ms");
        CheckBuffersAreBack(camera, name);
    }

    /// <summary>A driver fills its buffers in turn: all of them come by if none was kept.</summary>
    private static void CheckBuffersAreBack(V4l2Camera camera, string name)
    {
        var seen = new HashSet<int>();
        for (var i = 0; i < 2 * CameraBuffers; i++)
        {
            using var frame = camera.ReadFrame(CancellationToken.None)!;
            seen.Add(frame.BufferIndex);
        }
        Tap.Check(seen.Count == CameraBuffers, $"{name}: the camera has all its buffers back", string.Join(' ', seen));
    }

    private static void Save(string name, EncodeRecord record, EncodedPicture[] pictures, TimeSpan[] times, uint[] sums)
    {
        Directory.CreateDirectory("/out");
        File.WriteAllBytes($"/out/{name}.h264", record.Bytes);
        var lines = new StringBuilder();
        foreach (var picture in pictures) lines.Append(CultureInfo.InvariantCulture, $"0x{sums[Array.IndexOf(times, picture.CapturedAt)]:x8}\n");
        File.WriteAllText($"/out/{name}.sums", lines.ToString());
    }

    private static void Shell(string command)
    {
        using var shell = Process.Start("/bin/sh", ["-c", command]);
        shell.WaitForExit();
        Tap.Check(shell.ExitCode == 0, $"'{command}' runs", $"exit status {shell.ExitCode}");
    }

    private static string? Text(ILookup<string, string> options, string key) => options[key].FirstOrDefault();

    private static int Number(ILookup<string, string> options, string key, int otherwise) => Text(options, key) is { } text ? Parse(text) : otherwise;

    private static int Parse(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
