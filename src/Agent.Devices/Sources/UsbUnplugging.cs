namespace Agent.Devices.Sources;

/// <summary>
/// Waits until the driver of an unplugged USB camera has let go of it. Linux (seen on 6.12, in uvcvideo) dereferences null, and with that
/// kills the thread and loses the camera until the next boot, if the last descriptor of a video node is closed just while its driver
/// unregisters the media device: media_device_unregister_entity looks at graph_obj.mdev before it has the mutex under which that is
/// cleared. Whoever reads a camera hears of the unplugging, and closes it, at exactly that time.
/// </summary>
internal sealed class UsbUnplugging
{
    /// <summary>A driver that takes longer hangs for some other reason.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly string _interface;
    private readonly string _node;

    private UsbUnplugging(string @interface, string node) => (_interface, _node) = (@interface, node);

    /// <param name="node">The camera's device node.</param>
    /// <param name="sysfs">The folder with an entry for each video node.</param>
    /// <returns><c>null</c> if it is no USB camera.</returns>
    public static UsbUnplugging? Of(string node, string sysfs = V4l2Sysfs.Root) =>
        V4l2Sysfs.Find(Path.GetFileName(node), sysfs) is { Usb: not null } known
            ? new UsbUnplugging(known.Device, Path.Combine(known.Device, "video4linux", known.Name)) : null;

    /// <summary>Before the camera is closed: returns at once unless it is being unplugged.</summary>
    public void WaitForDriver(TimeProvider clock)
    {
        // The node goes first, and the interface when its driver's disconnect has returned.
        if (Directory.Exists(_node)) return;
        for (var started = clock.GetTimestamp(); Directory.Exists(_interface) && clock.GetElapsedTime(started) < Longest;) Thread.Sleep(Interval);
    }
}
