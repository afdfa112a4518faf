using Agent.Devices.Probe;
using Agent.Interop.V4l2;

namespace CameraCheck;

/// <summary>Sets controls of a device through a second descriptor, as v4l2-ctl would.</summary>
internal static class DeviceControl
{
    public static unsafe void Set(string path, string name, int value)
    {
        var known = CameraProbe.Enumerate().Single(camera => camera.Path == path).Controls.Single(control => control.Name == name);
        using var device = V4l2Device.TryOpen(path, out var errno) ?? throw new IOException($"{path}: {V4l2Device.ErrorText(errno)}");
        var control = new v4l2_ext_control { id = known.Id, value = value };
        var controls = new v4l2_ext_controls { which = Videodev2.V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        errno = device.Ioctl(Videodev2.VIDIOC_S_EXT_CTRLS, ref controls);
        if (errno != 0)
        {
            throw new IOException($"{path}: VIDIOC_S_EXT_CTRLS {name}: {V4l2Device.ErrorText(errno)}");
        }
    }
}
