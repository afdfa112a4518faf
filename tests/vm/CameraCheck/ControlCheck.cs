using Agent.Devices;
using Agent.Devices.Sources;

namespace CameraCheck;

/// <summary>Sets controls through the open source, in the order given: NAME VALUE OUTCOME, where the outcome is =VALUE or part of the refusal.</summary>
internal static class ControlCheck
{
    public static void Run(string device, ReadOnlySpan<string> wishes)
    {
        ICameraControls controls;
        using (var camera = new V4l2Camera(new VideoSourceOptions { Path = device, Width = 320, Height = 180 }, SourceDemand.Default))
        {
            controls = camera.Controls;
            for (var i = 0; i + 2 < wishes.Length; i += 3)
            {
                var (name, value, expected) = (wishes[i], wishes[i + 1], wishes[i + 2]);
                var outcome = controls.Set(name, value);
                var isRight = expected.StartsWith('=')
                    ? outcome is { IsSet: true } && $"={outcome.Value}" == expected.Split(' ')[0] && controls.List().Single(known => known.Key == name).Value == outcome.Value
                        && (expected.Split(' ', 2) is [_, var said] ? outcome.Message?.Contains(said, StringComparison.Ordinal) == true : outcome.Message is null)
                    : outcome is { IsSet: false, Message: { } message } && message.Contains(expected, StringComparison.Ordinal);
                Tap.Check(isRight, $"{device}: {name} set to {value} gives {expected}", $"{outcome}");
                Tap.Note(outcome.Message ?? $"{name} is {outcome.Value}");
            }
        }

        var closed = controls.Set(wishes[0], wishes[1]);
        Tap.Check(!closed.IsSet && controls.List().Count == 0, $"{device}: a closed camera has no controls", $"{closed}");
    }

    /// <summary>Another program sets the format between agreement and allocation.</summary>
    public static void TakeFormat(string device)
    {
        using var first = Agent.Interop.V4l2.V4l2Device.TryOpen(device, out _)!;
        using var second = Agent.Interop.V4l2.V4l2Device.TryOpen(device, out _)!;
        var wish = new VideoSourceOptions { Path = device, Width = 640, Height = 360 };
        var agreed = V4l2Negotiation.Agree(first, wish, SourceDemand.Default, out var capability);
        agreed.CheckStillSet(first, device, capability);
        V4l2Negotiation.Agree(second, wish with { Width = 320, Height = 180 }, SourceDemand.Default, out _);
        try
        {
            agreed.CheckStillSet(first, device, capability);
            Tap.Check(false, $"{device}: a format that another program changed is noticed", "it is not");
        }
        catch (VideoSourceException exception)
        {
            Tap.Check(
                exception.Message.Contains("another program changed its format to", StringComparison.Ordinal),
                $"{device}: a format that another program changed is noticed", exception.Message);
            Tap.Note(exception.Message);
        }
    }
}
