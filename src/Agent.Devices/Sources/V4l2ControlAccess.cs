using Agent.Devices.Probe;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>Reads and sets the controls of a V4L2 device (kernel documentation, "Extended Controls API").</summary>
internal static unsafe class V4l2ControlAccess
{
    /// <summary>Which automatism makes a control inactive, and the value of it that lets go (linux/v4l2-controls.h).</summary>
    private static readonly (uint Held, uint Holder, long Release)[] Holders =
    [
        (V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CID_EXPOSURE_AUTO, V4L2_EXPOSURE_MANUAL),
        (V4L2_CID_EXPOSURE, V4L2_CID_EXPOSURE_AUTO, V4L2_EXPOSURE_MANUAL),
        (V4L2_CID_IRIS_ABSOLUTE, V4L2_CID_EXPOSURE_AUTO, V4L2_EXPOSURE_MANUAL),
        (V4L2_CID_GAIN, V4L2_CID_AUTOGAIN, 0),
        (V4L2_CID_WHITE_BALANCE_TEMPERATURE, V4L2_CID_AUTO_WHITE_BALANCE, 0),
        (V4L2_CID_RED_BALANCE, V4L2_CID_AUTO_WHITE_BALANCE, 0),
        (V4L2_CID_BLUE_BALANCE, V4L2_CID_AUTO_WHITE_BALANCE, 0),
        (V4L2_CID_FOCUS_ABSOLUTE, V4L2_CID_FOCUS_AUTO, 0),
        (V4L2_CID_HUE, V4L2_CID_HUE_AUTO, 0),
        (V4L2_CID_BRIGHTNESS, V4L2_CID_AUTOBRIGHTNESS, 0),
        (V4L2_CID_ISO_SENSITIVITY, V4L2_CID_ISO_SENSITIVITY_AUTO, 0),
    ];

    /// <summary>Every control with its present value, in the driver's order; empty if there are none or the device is gone.</summary>
    public static List<ControlReport> List(V4l2Device device)
    {
        var found = new List<(v4l2_query_ext_ctrl Query, ControlReport Report)>();
        var raw = new v4l2_query_ext_ctrl { id = V4L2_CTRL_FLAG_NEXT_CTRL };
        for (; device.Ioctl(VIDIOC_QUERY_EXT_CTRL, ref raw) == 0; raw.id |= V4L2_CTRL_FLAG_NEXT_CTRL)
        {
            if (raw.type != V4L2_CTRL_TYPE_CTRL_CLASS && (raw.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_HAS_PAYLOAD)) == 0)
            {
                var name = V4l2Enumeration.Text(raw.name, 32);
                found.Add((raw, new ControlReport(
                    raw.id, Key(name), name, TypeName(raw.type), raw.minimum, raw.maximum, (long)raw.step, raw.default_value,
                    Value(device, raw), Choices(device, raw), null)));
            }
        }

        var reports = found.ConvertAll(control => control.Report);
        return found.ConvertAll(control => control.Report with { Obstacle = Obstacle(control.Query, control.Report, reports) });
    }

    /// <summary>True if the device has the control and it can be set.</summary>
    public static bool TryQuery(V4l2Device device, uint id, out v4l2_query_ext_ctrl query)
    {
        query = new v4l2_query_ext_ctrl { id = id };
        return device.Ioctl(VIDIOC_QUERY_EXT_CTRL, ref query) == 0
            && (query.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)) == 0;
    }

    /// <summary>Sets a control. Returns 0 or the errno.</summary>
    public static int Set(V4l2Device device, uint id, long value, bool is64Bit = false)
    {
        var control = new v4l2_ext_control { id = id };
        if (is64Bit)
        {
            control.value64 = value;
        }
        else
        {
            control.value = (int)value;
        }

        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return device.Ioctl(VIDIOC_S_EXT_CTRLS, ref controls);
    }

    /// <summary>The value now; <c>null</c> if it cannot be read.</summary>
    public static long? Value(V4l2Device device, in v4l2_query_ext_ctrl query)
    {
        var control = new v4l2_ext_control { id = query.id };
        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return (query.flags & V4L2_CTRL_FLAG_WRITE_ONLY) != 0 || device.Ioctl(VIDIOC_G_EXT_CTRLS, ref controls) != 0 ? null
            : query.type == V4L2_CTRL_TYPE_INTEGER64 ? control.value64 : control.value;
    }

    /// <summary>A control's or a menu entry's name as v4l2-ctl spells it: letters and digits in lower case, whatever is between them one '_'.</summary>
    public static string Key(string name)
    {
        Span<char> key = stackalloc char[name.Length];
        var length = 0;
        foreach (var character in name)
        {
            if (char.IsAsciiLetterOrDigit(character))
            {
                key[length++] = char.ToLowerInvariant(character);
            }
            else if (length > 0 && key[length - 1] != '_')
            {
                key[length++] = '_';
            }
        }

        return key[..length].TrimEnd('_').ToString();
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

    private static string? Obstacle(in v4l2_query_ext_ctrl query, ControlReport control, List<ControlReport> all)
    {
        if ((query.flags & V4L2_CTRL_FLAG_READ_ONLY) != 0)
        {
            return "it can only be read";
        }

        if ((query.flags & V4L2_CTRL_FLAG_GRABBED) != 0)
        {
            return "the driver holds it while it is in use; it can be set when nothing streams";
        }

        if ((query.flags & V4L2_CTRL_FLAG_INACTIVE) == 0)
        {
            return control.Type == "other" ? "the agent cannot set this type of control" : null;
        }

        var held = Array.Find(Holders, holder => holder.Held == control.Id);
        return all.Find(candidate => candidate.Id == held.Holder) is not { } automatism ? "it has no effect under the camera's other settings"
            : $"{automatism.Key} holds it; set {automatism.Key} to {Word(automatism, held.Release)} first";
    }

    private static string Word(ControlReport control, long value) =>
        control.Type == "boolean" ? (value != 0 ? "true" : "false")
        : control.Choices.FirstOrDefault(choice => choice.Value == value) is { } choice ? Key(choice.Name) : $"{value}";

    private static List<ControlChoice> Choices(V4l2Device device, in v4l2_query_ext_ctrl query)
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
