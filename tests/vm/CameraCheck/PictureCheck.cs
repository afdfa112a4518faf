using Agent.Devices.Sources;

namespace CameraCheck;

/// <summary>Looks into frames without allocating.</summary>
internal static class PictureCheck
{
    /// <summary>
    /// The eight 75 % colour bars of vivid's test pattern as Y', Cb, Cr in limited range by ITU-R BT.601: white, yellow, cyan, green,
    /// magenta, red, blue, black.
    /// </summary>
    private static readonly byte[] Bars =
    [
        180, 128, 128,
        162, 44, 142,
        131, 156, 44,
        112, 72, 58,
        84, 184, 198,
        65, 100, 212,
        35, 212, 114,
        16, 128, 128,
    ];

    /// <summary>Rounding in the generator, chroma subsampling, and no more.</summary>
    private const int Tolerance = 4;

    public static string LastProblem { get; private set; } = "";

    public static bool Holds(CapturedFrame frame, string? picture) => picture switch
    {
        "bars" => IsBars(frame),
        "jpeg" => IsJpeg(frame.GetPlane(0)),
        "h264" => IsAccessUnit(frame.GetPlane(0)),
        null => true,
        _ => throw new ArgumentException($"unknown picture '{picture}'"),
    };

    private static bool IsBars(CapturedFrame frame)
    {
        var (width, height) = (frame.Format.Width, frame.Format.Height);
        Span<byte> found = stackalloc byte[3];
        var right = true;
        for (var bar = 0; bar < 8; bar++)
        {
            // The middle of the bar; low down, below the text that vivid writes into the picture.
            Sample(frame, ((2 * bar) + 1) * width / 16, height * 7 / 8, found);
            for (var i = 0; i < 3; i++)
            {
                right &= Math.Abs(found[i] - Bars[(3 * bar) + i]) <= Tolerance;
            }

            if (!right)
            {
                LastProblem = $"bar {bar} is Y {found[0]} Cb {found[1]} Cr {found[2]}";
                return false;
            }
        }

        return true;
    }

    private static void Sample(CapturedFrame frame, int x, int y, Span<byte> yCbCr)
    {
        switch (frame.Format.PixelFormat)
        {
            case PixelFormat.Yuyv:
                var pair = frame.GetPlane(0)[((y * frame.GetBytesPerLine(0)) + (x / 2 * 4))..];
                (yCbCr[0], yCbCr[1], yCbCr[2]) = (pair[x % 2 * 2], pair[1], pair[3]);
                break;
            case PixelFormat.Nv12:
                yCbCr[0] = frame.GetPlane(0)[(y * frame.GetBytesPerLine(0)) + x];
                frame.GetPlane(1).Slice((y / 2 * frame.GetBytesPerLine(1)) + (x / 2 * 2), 2).CopyTo(yCbCr[1..]);
                break;
            case PixelFormat.Yu12:
                yCbCr[0] = frame.GetPlane(0)[(y * frame.GetBytesPerLine(0)) + x];
                yCbCr[1] = frame.GetPlane(1)[(y / 2 * frame.GetBytesPerLine(1)) + (x / 2)];
                yCbCr[2] = frame.GetPlane(2)[(y / 2 * frame.GetBytesPerLine(2)) + (x / 2)];
                break;
            default:
                throw new ArgumentException($"{frame.Format.PixelFormat} has no samples");
        }
    }

    /// <summary>From start of image to end of image (ITU-T T.81 B.1.1.3), with nothing behind it.</summary>
    private static bool IsJpeg(ReadOnlySpan<byte> payload)
    {
        var right = payload.StartsWith((ReadOnlySpan<byte>)[0xff, 0xd8, 0xff]) && payload.EndsWith((ReadOnlySpan<byte>)[0xff, 0xd9]);
        LastProblem = right ? LastProblem : $"{payload.Length} bytes that are not SOI … EOI";
        return right;
    }

    /// <summary>An Annex B access unit that begins with its delimiter (nal_unit_type 9), as the simulated camera's do.</summary>
    private static bool IsAccessUnit(ReadOnlySpan<byte> payload)
    {
        var right = payload.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 1, 9]);
        LastProblem = right ? LastProblem : $"{payload.Length} bytes that do not start an access unit";
        return right;
    }

    /// <summary>Adler-32 of the picture as planar 4:2:0 without padding, from 0 on as ffmpeg's framecrc counts. NV12 and YU12 only.</summary>
    public static uint Sum(CapturedFrame frame)
    {
        var (width, height) = (frame.Format.Width, frame.Format.Height);
        var sum = (First: 0u, Second: 0u);
        AddSamples(frame, 0, 0, 1, width, height, ref sum);
        var isInterleaved = frame.Format.PixelFormat == PixelFormat.Nv12;
        AddSamples(frame, 1, 0, isInterleaved ? 2 : 1, width / 2, height / 2, ref sum);
        AddSamples(frame, isInterleaved ? 1 : 2, isInterleaved ? 1 : 0, isInterleaved ? 2 : 1, width / 2, height / 2, ref sum);
        return (sum.Second << 16) | sum.First;
    }

    private static void AddSamples(CapturedFrame frame, int plane, int offset, int step, int width, int height, ref (uint First, uint Second) sum)
    {
        // The largest prime below 2 to the 16 (RFC 1950 section 8.2).
        const uint Modulus = 65521;
        for (var y = 0; y < height; y++)
        {
            var line = frame.GetPlane(plane).Slice(y * frame.GetBytesPerLine(plane), width * step);
            for (var x = 0; x < width; x++)
            {
                sum.First += line[(x * step) + offset];
                sum.First -= sum.First >= Modulus ? Modulus : 0;
                sum.Second += sum.First;
                sum.Second -= sum.Second >= Modulus ? Modulus : 0;
            }
        }
    }
}
