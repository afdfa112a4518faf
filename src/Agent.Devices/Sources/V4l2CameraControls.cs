using Agent.Devices.Probe;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.V4l2Errno;

namespace Agent.Devices.Sources;

/// <summary>
/// The controls of an open camera, set through the descriptor that streams. Any thread: the kernel takes one call at a time, and the
/// descriptor stays open until a call under way has returned.
/// </summary>
internal sealed class V4l2CameraControls(V4l2Device device) : ICameraControls
{
    /// <inheritdoc/>
    public IReadOnlyList<ControlReport> List()
    {
        try
        {
            return V4l2ControlAccess.List(device);
        }
        catch (ObjectDisposedException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public ControlOutcome Set(string name, string value)
    {
        try
        {
            var controls = V4l2ControlAccess.List(device);
            var control = controls.Find(known => known.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? controls.Find(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            return control is null ? new ControlOutcome(false, 0, V4l2ControlWish.Unknown(name, controls)) : Set(control, value);
        }
        catch (ObjectDisposedException)
        {
            return new ControlOutcome(false, 0, $"{name}: the camera is closed; it can be set when it is back");
        }
    }

    /// <summary>Sets what is configured, in its order. Returns what was not quite met.</summary>
    public List<string> Apply(IReadOnlyDictionary<string, string> wishes) =>
        [.. wishes.Select(wish => Set(wish.Key, wish.Value).Message).OfType<string>().Select(message => $"control {message}")];

    private ControlOutcome Set(ControlReport control, string text)
    {
        var before = control.Value ?? 0;
        if (control.Obstacle is { } obstacle)
        {
            return new ControlOutcome(false, before, $"{control.Key}: {obstacle}");
        }

        if (!V4l2ControlWish.TryRead(control, text, out var wished, out var message))
        {
            return new ControlOutcome(false, before, message);
        }

        _ = V4l2ControlAccess.TryQuery(device, control.Id, out var query);
        var errno = V4l2ControlAccess.Set(device, control.Id, wished, query.type == Videodev2.V4L2_CTRL_TYPE_INTEGER64);
        if (errno != 0)
        {
            return new ControlOutcome(false, before, $"{control.Key}: " + errno switch
            {
                EBUSY => "the driver holds it while it is in use; it can be set when nothing streams",
                EACCES => "the camera does not let it be set under its other settings",
                ENODEV or ENXIO => "the camera is unplugged; it can be set when it is back",
                _ => $"VIDIOC_S_EXT_CTRLS: {V4l2Device.ErrorText(errno)}",
            });
        }

        var taken = V4l2ControlAccess.Value(device, query) ?? wished;
        return new ControlOutcome(
            true, taken, message ?? (taken == wished || control.Type == "button" ? null : $"{control.Key}: the camera made {taken} of {wished}"));
    }
}
