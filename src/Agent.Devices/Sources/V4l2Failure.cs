using Agent.Devices.Probe;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.V4l2Errno;

namespace Agent.Devices.Sources;

/// <summary>Words a V4L2 errno as what is wrong with which device and what mends it.</summary>
internal static class V4l2Failure
{
    public static VideoSourceException Opening(string path, int errno) => new($"camera {path}: " + errno switch
    {
        ENOENT => "no such device node; plug the camera in, or choose one that 'camera-agent probe' lists",
        EACCES or EPERM => "permission denied; add the agent's user to group video (sudo usermod -aG video USER) and start it anew",
        ENODEV or ENXIO => "the node has no device behind it; plug the camera in again",
        EBUSY => InUse(path),
        _ => $"open: {V4l2Device.ErrorText(errno)}",
    })
    {
        Failure = errno switch { ENOENT or ENODEV or ENXIO => SourceFailure.Absent, EBUSY => SourceFailure.InUse, _ => SourceFailure.Failed },
    };

    /// <summary>As above; a camera that was there before and is not open to the agent yet is still being plugged in.</summary>
    public static VideoSourceException Opening(string path, V4l2Identity identity, int errno) =>
        identity.IsKnown && errno is ENOENT or ENODEV or ENXIO or EACCES ? identity.Absent(path) : Opening(path, errno);

    public static VideoSourceException NotACamera(string path, string whatItIs) =>
        new($"camera {path}: is {whatItIs}, not a video capture device; choose a node that 'camera-agent probe' lists");

    private static string InUse(string path) => $"in use by another program; stop that program (fuser -v {path} names it)";

    /// <summary>VIDIOC_QUERYCAP has failed.</summary>
    public static VideoSourceException NotAVideoDevice(string path, int errno) =>
        errno == ENOTTY ? NotACamera(path, "no V4L2 device at all") : SettingUp(path, "VIDIOC_QUERYCAP", errno);

    /// <summary>Nothing on offer is what is wanted.</summary>
    public static VideoSourceException NoFormat(VideoSourceOptions options, OwnH264Use ownH264, List<uint> offered, string driver)
    {
        var names = string.Join(", ", offered.Select(V4l2Enumeration.FourCcText).Distinct().DefaultIfEmpty("no format"));
        var offersH264 = offered.Contains(Videodev2.V4L2_PIX_FMT_H264);
        var forcesH264 = nameof(PixelFormat.H264).Equals(options.PixelFormat, StringComparison.OrdinalIgnoreCase);
        return new($"camera {options.Path}: offers {names}; " + (options.PixelFormat, ownH264) switch
        {
            ({ } forced, OwnH264Use.Always) when !forcesH264 => $"passing its own H264 through and 'pixelFormat' {forced} exclude one another; remove one of them",
            (_, OwnH264Use.Always) when !offersH264 => "it makes no H264 of its own to pass through; set the encoder's 'kind' to auto",
            ({ } forced, OwnH264Use.Never) when forcesH264 => $"'pixelFormat' {forced} leaves nothing to encode; set the encoder's 'kind' to auto or passthrough",
            ({ } forced, _) => $"set 'pixelFormat' to one of these instead of {forced}, or leave it out",
            (null, OwnH264Use.Never) when offersH264 => "its own H264 is all that the agent can take; set the encoder's 'kind' to auto or passthrough",
            _ when CsiCamera.IsReceiver(driver) => $"it is {CsiCamera.Problem}",
            _ => "the agent takes NV12, YU12, YUYV, MJPG and H264",
        });
    }

    /// <summary>A call that sets the device up has failed.</summary>
    public static VideoSourceException SettingUp(string path, string call, int errno) => errno switch
    {
        EBUSY => new($"camera {path}: {InUse(path)} ({call}: {V4l2Device.ErrorText(errno)})") { Failure = SourceFailure.InUse },
        EIO or ENODEV or ENXIO => Streaming(path, call, errno),
        _ => new($"camera {path}: {call}: {V4l2Device.ErrorText(errno)}"),
    };

    /// <summary>VIDIOC_STREAMON has failed.</summary>
    public static VideoSourceException Starting(string path, string driver, int errno) =>
        CsiCamera.IsReceiver(driver) && errno is EPIPE or EINVAL or ENOLINK
            ? new($"camera {path}: is {CsiCamera.Problem} (VIDIOC_STREAMON: {V4l2Device.ErrorText(errno)})")
            : SettingUp(path, "VIDIOC_STREAMON", errno);

    /// <summary>Between agreeing on a format and allocating buffers another program has set its own.</summary>
    public static VideoSourceException FormatTaken(string path, string format) =>
        new($"camera {path}: another program changed its format to {format}; stop that program (fuser -v {path} names it)") { Failure = SourceFailure.InUse };

    /// <summary>A call on a running stream has failed.</summary>
    public static VideoSourceException Streaming(string path, string call, int errno)
    {
        var error = $"({call}: {V4l2Device.ErrorText(errno)})";
        return errno is ENODEV or ENXIO
            ? new($"camera {path}: unplugged {error}; plug it in again, it is reopened by itself") { Failure = SourceFailure.Absent }
            : Stopped(path, $"the stream broke off {error}");
    }

    /// <summary>The stream has ended for no reason that the device gives.</summary>
    public static VideoSourceException Stopped(string path, string what) =>
        new($"camera {path}: {what}; it is reopened by itself, check cable and power if this repeats") { Failure = SourceFailure.Stopped };
}
