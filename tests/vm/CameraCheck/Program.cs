using Agent.Devices.Probe;
using CameraCheck;

// camera-check stream DEVICE [option=value ...]   reads frames and checks them; the options are described in StreamCheck
// camera-check refuse DEVICE TEXT [format=F]      opening must fail with a message that holds TEXT
// camera-check probe DEVICE [card=C] [format=F:WxH@R ...] [control=NAME ...]
// camera-check set DEVICE CONTROL VALUE           sets a V4L2 control by its name
// camera-check control DEVICE [NAME VALUE OUTCOME]...   sets controls through the source, see ControlCheck
// camera-check take DEVICE                        a format taken by another program must be noticed
// camera-check encode DEVICE [option=value ...]   encodes frames with the V4L2 encoder; the options are described in EncodeCheck
// Each check prints one TAP line; the exit status is 1 if one has failed.
var options = args.Skip(2).Where(argument => argument.Contains('=')).Select(argument => argument.Split('=', 2))
    .ToLookup(pair => pair[0], pair => pair[1]);
switch (args)
{
    case ["stream", var device, ..]:
        StreamCheck.Run(device, options);
        break;
    case ["refuse", var device, var text, ..]:
        StreamCheck.Refuse(device, text, options);
        break;
    case ["probe", var device, ..]:
        var camera = CameraProbe.Enumerate().FirstOrDefault(camera => camera.Path == device);
        Tap.Check(camera is { Problem: null }, $"probe lists {device}", $"{camera?.Problem ?? "not there"}");
        foreach (var card in options["card"])
        {
            Tap.Check(camera?.Card == card, $"probe names {device} '{card}'", $"it is '{camera?.Card}'");
        }

        var offers = (from format in camera?.Formats ?? []
                      from size in format.Sizes
                      from rate in size.FrameRates
                      select FormattableString.Invariant($"{format.FourCc}:{size.Width}x{size.Height}@{rate}")).ToList();
        foreach (var format in options["format"])
        {
            Tap.Check(offers.Contains(format), $"probe lists {format}", string.Join(' ', offers));
        }

        foreach (var control in options["control"])
        {
            var known = camera?.Controls.Select(known => known.Name).ToList() ?? [];
            Tap.Check(known.Contains(control), $"probe lists control '{control}'", string.Join(", ", known));
        }

        break;
    case ["control", var device, ..]:
        ControlCheck.Run(device, args.AsSpan(2));
        break;
    case ["take", var device]:
        ControlCheck.TakeFormat(device);
        break;
    case ["encode", var device, ..]:
        EncodeCheck.Run(device, options);
        break;
    case ["set", var device, var control, var value]:
        DeviceControl.Set(device, control, int.Parse(value, System.Globalization.CultureInfo.InvariantCulture));
        break;
    default:
        Console.Error.WriteLine("camera-check: stream|encode|refuse|probe|control|take|set DEVICE ...");
        return 2;
}

return Tap.Failures == 0 ? 0 : 1;
