using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.V4l2Errno;

namespace Agent.Devices.Encoders;

/// <summary>Words what is wrong with which V4L2 encoder.</summary>
internal static class V4l2M2mFailure
{
    public static VideoEncoderException Opening(V4l2M2mDevice device, int errno) => Of(device, errno switch
    {
        EACCES or EPERM => "permission denied; add the agent's user to group video (sudo usermod -aG video USER) and start it anew",
        EBUSY => $"in use by another program; stop that program (fuser -v {device.Path} names it)",
        _ => $"open: {V4l2Device.ErrorText(errno)}",
    });

    /// <summary>A call has failed.</summary>
    public static VideoEncoderException Calling(V4l2M2mDevice device, string call, int errno) => Of(device, errno switch
    {
        ENODEV or ENXIO => $"is gone ({call}: {V4l2Device.ErrorText(errno)})",
        EBUSY => $"busy ({call}: {V4l2Device.ErrorText(errno)}); stop other programs that encode (fuser -v {device.Path} names them)",
        EIO => $"has failed ({call}: {V4l2Device.ErrorText(errno)}); it is reopened by itself",
        _ => $"{call}: {V4l2Device.ErrorText(errno)}",
    });

    public static VideoEncoderException Of(V4l2M2mDevice device, string what) => new($"encoder {device.Path} ({device.Card}): {what}");
}
