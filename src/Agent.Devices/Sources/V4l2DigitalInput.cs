using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.V4l2Errno;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>The HDMI or DVI input of a capture device (kernel documentation, "Digital Video (DV) Timings").</summary>
internal static class V4l2DigitalInput
{
    /// <summary>Takes over the timings of the signal that arrives; does nothing on devices without such an input.</summary>
    /// <exception cref="VideoSourceException">No signal arrives, or none that can be taken.</exception>
    public static void Follow(V4l2Device device, string path)
    {
        var index = 0;
        if (device.Ioctl(VIDIOC_G_INPUT, ref index) != 0)
        {
            return;
        }

        var input = new v4l2_input { index = (uint)index };
        if (device.Ioctl(VIDIOC_ENUMINPUT, ref input) != 0 || (input.capabilities & V4L2_IN_CAP_DV_TIMINGS) == 0)
        {
            return;
        }

        var timings = default(v4l2_dv_timings);
        var errno = device.Ioctl(VIDIOC_QUERY_DV_TIMINGS, ref timings);
        if (errno == 0)
        {
            errno = device.Ioctl(VIDIOC_S_DV_TIMINGS, ref timings);
            if (errno != 0)
            {
                throw V4l2Failure.SettingUp(path, "VIDIOC_S_DV_TIMINGS", errno);
            }

            return;
        }

        var problem = errno switch
        {
            ENOLINK => "no signal arrives at its input; switch on what is connected there",
            ENOLCK => "the signal at its input is unstable; check the cable",
            ERANGE => "the signal at its input is beyond what it can take; choose a lower resolution at what is connected there",
            // The device cannot tell, so it keeps the timings it has.
            _ => null,
        };
        if (problem is not null)
        {
            throw new VideoSourceException($"camera {path}: {problem}") { Failure = SourceFailure.Stopped };
        }
    }
}
