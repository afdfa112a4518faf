using Agent.Devices.Sources;

namespace Agent.Devices.Tests.V4l2;

public sealed class UsbUnpluggingTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("sysfs-").FullName;

    private string Class => Path.Combine(_root, "class");

    private string Interface => Path.Combine(_root, "devices", "usb1", "1-1", "1-1:1.0");

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private UsbUnplugging? Plug(bool isUsb)
    {
        var node = Path.Combine(Interface, "video4linux", "video0");
        Directory.CreateDirectory(node);
        Directory.CreateDirectory(Class);
        if (isUsb)
        {
            File.WriteAllText(Path.Combine(Interface, "..", "idVendor"), "1209\n");
            File.WriteAllText(Path.Combine(Interface, "..", "idProduct"), "5601\n");
            File.WriteAllText(Path.Combine(Interface, "bInterfaceNumber"), "00\n");
        }
        Directory.CreateSymbolicLink(Path.Combine(node, "device"), Interface);
        Directory.CreateSymbolicLink(Path.Combine(Class, "video0"), node);
        return UsbUnplugging.Of("/dev/video0", Class);
    }

    [Fact]
    public void Cameras_on_other_buses_are_left_alone() => Assert.Null(Plug(isUsb: false));

    [Fact]
    public void A_camera_that_is_there_is_closed_at_once()
    {
        var clock = new SteppedTime();
        Plug(isUsb: true)!.WaitForDriver(clock);
        Assert.True(Directory.Exists(Interface));
    }

    [Fact]
    public async Task One_that_is_being_unplugged_is_closed_when_its_driver_has_let_go_of_it()
    {
        var unplugging = Plug(isUsb: true)!;
        Directory.Delete(Path.Combine(Interface, "video4linux"), recursive: true);
        var waiting = Task.Run(() => unplugging.WaitForDriver(new SteppedTime()));
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(50)));
        Directory.Delete(Interface, recursive: true);
        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_driver_that_never_does_is_not_waited_for_for_ever()
    {
        var unplugging = Plug(isUsb: true)!;
        Directory.Delete(Path.Combine(Interface, "video4linux"), recursive: true);
        var clock = new SteppedTime();
        var waiting = Task.Run(() => unplugging.WaitForDriver(clock));
        Assert.NotSame(waiting, await Task.WhenAny(waiting, Task.Delay(50)));
        clock.Advance(TimeSpan.FromSeconds(2));
        await waiting.WaitAsync(TimeSpan.FromSeconds(20));
    }
}
