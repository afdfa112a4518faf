using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Probe;

/// <summary>Lists the cameras of this machine by asking their drivers; takes no frame and disturbs no running stream.</summary>
public static class CameraProbe
{
    /// <summary>Cameras and encoders together.</summary>
    public static ProbeReport Run() => new(Enumerate(), EncoderProbe.Enumerate());

    /// <summary>Each capture node under /dev in numerical order, and each node that cannot be opened, with its problem.</summary>
    public static IReadOnlyList<CameraReport> Enumerate() => Enumerate("/dev");

    internal static IReadOnlyList<CameraReport> Enumerate(string directory)
    {
        var cameras = new List<CameraReport>();
        DeviceNodes.Visit(directory, (path, device, capability, problem) =>
        {
            if (device is null || capability is null)
            {
                cameras.Add(new CameraReport(path, "", "", "", problem, [], []));
            }
            else if (capability.IsCamera)
            {
                var formats = V4l2Enumeration.Formats(device, capability.CaptureType)
                    .ConvertAll(format => new FormatReport(
                        V4l2Enumeration.FourCcText(format.FourCc),
                        format.Description,
                        V4l2PixelFormat.Supported.Any(supported => supported.FourCc == format.FourCc),
                        V4l2Enumeration.Sizes(device, format.FourCc).ConvertAll(size => Size(device, format.FourCc, size))));
                cameras.Add(new CameraReport(path, capability.Card, capability.Driver, capability.Bus, null, formats, Controls(device)));
            }
        });
        return cameras;
    }

    private static SizeReport Size(V4l2Device device, uint fourCc, V4l2SizeRange size)
    {
        var rates = V4l2Enumeration.Intervals(device, fourCc, size.MaxWidth, size.MaxHeight)
            .SelectMany(interval => new[] { Rate(interval.Max), Rate(interval.Min) }).Distinct().ToList();
        return new SizeReport((int)size.MinWidth, (int)size.MinHeight, (int)size.MaxWidth, (int)size.MaxHeight, rates);
    }

    private static double Rate(v4l2_fract interval) => Math.Round(V4l2IntervalRange.FramesPerSecond(interval), 3);

    private static unsafe List<ControlReport> Controls(V4l2Device device)
    {
        var controls = new List<ControlReport>();
        var raw = new v4l2_query_ext_ctrl { id = V4L2_CTRL_FLAG_NEXT_CTRL };
        for (; device.Ioctl(VIDIOC_QUERY_EXT_CTRL, ref raw) == 0; raw.id |= V4L2_CTRL_FLAG_NEXT_CTRL)
        {
            if (raw.type != V4L2_CTRL_TYPE_CTRL_CLASS && (raw.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_HAS_PAYLOAD)) == 0)
            {
                var name = V4l2Enumeration.Text(raw.name, 32);
                controls.Add(new ControlReport(
                    raw.id, name, TypeName(raw.type), raw.minimum, raw.maximum, (long)raw.step, raw.default_value, Value(device, raw),
                    Choices(device, raw)));
            }
        }

        return controls;
    }

    private static string TypeName(uint type) => type switch
    {
        V4L2_CTRL_TYPE_INTEGER or V4L2_CTRL_TYPE_INTEGER64 => "integer",
        V4L2_CTRL_TYPE_BOOLEAN => "boolean",
        V4L2_CTRL_TYPE_MENU or V4L2_CTRL_TYPE_INTEGER_MENU => "menu",
        V4L2_CTRL_TYPE_BUTTON => "button",
        V4L2_CTRL_TYPE_BITMASK => "bitmask",
        _ => "other",
    };

    private static unsafe long? Value(V4l2Device device, in v4l2_query_ext_ctrl query)
    {
        var control = new v4l2_ext_control { id = query.id };
        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return (query.flags & V4L2_CTRL_FLAG_WRITE_ONLY) != 0 || device.Ioctl(VIDIOC_G_EXT_CTRLS, ref controls) != 0 ? null
            : query.type == V4L2_CTRL_TYPE_INTEGER64 ? control.value64 : control.value;
    }

    private static unsafe List<ControlChoice> Choices(V4l2Device device, in v4l2_query_ext_ctrl query)
    {
        var choices = new List<ControlChoice>();
        var isMenu = query.type is V4L2_CTRL_TYPE_MENU or V4L2_CTRL_TYPE_INTEGER_MENU;
        for (var index = query.minimum; isMenu && index <= query.maximum; index++)
        {
            // A menu may have holes, which the driver answers with EINVAL.
            var raw = new v4l2_querymenu { id = query.id, index = (uint)index };
            if (device.Ioctl(VIDIOC_QUERYMENU, ref raw) == 0)
            {
                var name = query.type == V4L2_CTRL_TYPE_MENU ? V4l2Enumeration.Text(raw.name, 32) : $"{raw.value}";
                choices.Add(new ControlChoice(index, name));
            }
        }

        return choices;
    }
}
