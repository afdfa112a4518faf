using Agent.Devices.Sources;
using Agent.Media;

namespace CameraCheck;

/// <summary>
/// Asks a camera that makes H.264 itself for what viewers ask for. Options: keyframes=N (requests, each some frames after the one before;
/// an IDR with SPS and PPS must follow), gop=N (frames from one IDR to the next at most, unasked), bitrate=BPS (must be taken).
/// </summary>
internal static class EncoderCheck
{
    /// <summary>Frames that may be on their way when the request is made: in the camera, on the bus, in the driver's queue.</summary>
    private const int FramesUnderway = 4;

    private const int FramesBetweenRequests = 7;

    public static void Run(V4l2Camera camera, string name, ILookup<string, string> options)
    {
        foreach (var requests in options["keyframes"].Select(int.Parse))
        {
            var (taken, slowest) = (0, 0);
            for (var request = 0; request < requests; request++)
            {
                _ = FramesToKeyFrame(camera, FramesBetweenRequests, stopAtKeyFrame: false);
                taken += camera.RequestKeyFrame() ? 1 : 0;
                slowest = Math.Max(slowest, FramesToKeyFrame(camera, 2 * FramesUnderway, stopAtKeyFrame: true));
            }

            Tap.Check(taken == requests, $"{name}: takes {requests} requests for a keyframe", $"{taken}");
            Tap.Check(slowest <= FramesUnderway, $"{name}: each request is met within {FramesUnderway} frames", $"{slowest} frames at worst");
            Tap.Note($"{name}: a requested keyframe comes within {slowest} frames");
        }

        foreach (var distance in options["gop"].Select(int.Parse))
        {
            Tap.Check(!camera.RequestKeyFrame(), $"{name}: takes no request for a keyframe", "it does");
            _ = FramesToKeyFrame(camera, 2 * distance, stopAtKeyFrame: true);
            var frames = FramesToKeyFrame(camera, 2 * distance, stopAtKeyFrame: true);
            Tap.Check(frames <= distance, $"{name}: makes a keyframe every {distance} frames", $"{frames}");
        }

        foreach (var bitrate in options["bitrate"].Select(int.Parse))
        {
            Tap.Check(camera.SetBitrate(bitrate), $"{name}: takes a bitrate of {bitrate} bit/s", "it does not");
        }
    }

    /// <summary>Reads frames up to and with the next IDR, or a number of them.</summary>
    private static int FramesToKeyFrame(V4l2Camera camera, int atMost, bool stopAtKeyFrame)
    {
        for (var count = 1; count <= atMost; count++)
        {
            using var frame = camera.ReadFrame(CancellationToken.None)!;
            if (stopAtKeyFrame && IsKeyFrame(frame.GetPlane(0)))
            {
                return count;
            }
        }

        return atMost;
    }

    private static bool IsKeyFrame(ReadOnlySpan<byte> accessUnit)
    {
        var (position, hasSps, hasPps) = (0, false, false);
        while (NalUnit.TryFindNext(accessUnit, ref position, out var range))
        {
            var type = NalUnit.TypeOf(accessUnit[range][0]);
            hasSps |= type == NalUnitType.SequenceParameterSet;
            hasPps |= type == NalUnitType.PictureParameterSet;
            if (type == NalUnitType.IdrSlice)
            {
                return hasSps && hasPps;
            }
        }

        return false;
    }
}
