using Agent.Devices.Sources;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

/// <summary>Cameras that come and go in a folder laid out as sysfs is; tests/vm replugs one under uvcvideo.</summary>
public sealed class V4l2IdentityTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("agent-sysfs-").FullName;
    private readonly V4l2Identity _identity;
    private int _opened;

    public V4l2IdentityTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "class"));
        Directory.CreateDirectory(Path.Combine(_root, "dev"));
        _identity = new V4l2Identity(Path.Combine(_root, "class"), Path.Combine(_root, "dev"), Ask);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void A_camera_is_found_again_by_its_serial_number_under_another_node_and_on_another_port()
    {
        Plug("video0", "1-1", serial: "A1");
        Plug("video1", "1-1", serial: "A1", index: 1);
        Remember("video0");

        Unplug("video0", "video1");
        Plug("video4", "1-2", serial: "A1");
        Plug("video5", "1-2", serial: "A1", index: 1);

        Assert.Equal(Node("video4"), _identity.Locate(Node("video0")));
    }

    [Fact]
    public void Another_camera_at_the_same_node_is_not_taken_for_it()
    {
        Plug("video0", "1-1", serial: "A1");
        Remember("video0");

        Unplug("video0");
        Plug("video0", "1-1", serial: "B2");

        var exception = Assert.Throws<VideoSourceException>(() => _identity.Locate(Node("video0")));
        Assert.Equal(SourceFailure.Absent, exception.Failure);
        Assert.Contains("unplugged; waiting for it (Camera, serial number A1); 'Camera' at", exception.Message, StringComparison.Ordinal);
        Assert.Throws<VideoSourceException>(() => _identity.Check(Node("video0"), Node("video0")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("SN0001")] // some makers number all alike
    public void Two_alike_are_told_apart_by_where_they_are_plugged_in(string? serial)
    {
        Plug("video0", "1-1", serial);
        Plug("video2", "1-2", serial);
        Remember("video0");

        Unplug("video0");

        Assert.Throws<VideoSourceException>(() => _identity.Locate(Node("video0")));
        Plug("video7", "1-1", serial);
        Assert.Equal(Node("video7"), _identity.Locate(Node("video0")));
    }

    [Fact]
    public void Nothing_is_opened_while_the_camera_is_away()
    {
        Plug("video0", "1-1", serial: "A1");
        Plug("video2", "1-2", serial: "B2");
        Remember("video0");
        Unplug("video0");

        Assert.Throws<VideoSourceException>(() => _identity.Locate(Node("video0")));
        Assert.Throws<VideoSourceException>(() => _identity.Locate("serial:A1"));
        Assert.Throws<VideoSourceException>(() => _identity.Locate("bus:usb-xhci.0-1"));
        Assert.Equal(0, _opened);
    }

    [Fact]
    public void A_selector_means_the_node_of_its_camera_that_captures_video()
    {
        Plug("video1", "1-1.2", serial: "A1", index: 1, card: "Metadata");
        Plug("video3", "1-1.2", serial: "A1", index: 0);

        Assert.Equal(Node("video3"), _identity.Locate("serial:A1"));
        Assert.Equal(Node("video3"), _identity.Locate("bus:usb-xhci.0-1.2"));
        Plug("video4", "1-2", serial: "A1");
        Assert.Contains("use 'bus:'", Assert.Throws<VideoSourceException>(() => _identity.Locate("serial:A1")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_camera_on_another_bus_is_known_by_its_device()
    {
        Plug("video0", null, null, card: "unicam");
        Remember("video0");
        Unplug("video0");
        Plug("video3", null, null, card: "unicam");

        Assert.Equal(Node("video3"), _identity.Locate(Node("video0")));
        Assert.Equal(Node("video3"), _identity.Locate("bus:platform:unicam"));
    }

    [Fact]
    public void A_link_means_what_it_leads_to_even_if_nothing_is_there()
    {
        var link = Path.Combine(_root, "by-id");
        File.CreateSymbolicLink(link, Node("video2"));
        Plug("video0", "1-1", serial: "A1");
        Remember("video0");

        Assert.Equal(Node("video2"), _identity.Locate(link));
        _identity.Check(link, Node("video2"));
    }

    private void Remember(string name)
    {
        Assert.Equal(Node(name), _identity.Locate(Node(name)));
        _identity.Remember(Node(name));
    }

    private string Node(string name) => Path.Combine(_root, "dev", name);

    private V4l2Capability Ask(string node)
    {
        _opened++;
        var card = File.ReadAllText(Path.Combine(_root, "class", Path.GetFileName(node), "name"));
        return new V4l2Capability("driver", card, $"platform:{card}", card == "Metadata" ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE);
    }

    private void Plug(string name, string? port, string? serial, int index = 0, string card = "Camera")
    {
        var device = Path.Combine(_root, "devices", "platform", "csi");
        if (port is not null)
        {
            var usb = Path.Combine(_root, "devices", "pci", "xhci.0", "usb1", port);
            device = Path.Combine(usb, $"{port}:1.0");
            Write(usb, "idVendor", "046d");
            Write(usb, "idProduct", "0825");
            Write(usb, "devpath", port[2..]);
            Write(device, "bInterfaceNumber", "00");
            if (serial is not null)
            {
                Write(usb, "serial", serial);
            }
        }

        var entry = Path.Combine(device, "video4linux", name);
        Write(entry, "name", card);
        Write(entry, "index", $"{index}");
        File.CreateSymbolicLink(Path.Combine(entry, "device"), "../..");
        File.CreateSymbolicLink(Path.Combine(_root, "class", name), Path.GetRelativePath(Path.Combine(_root, "class"), entry));
    }

    private void Unplug(params string[] names)
    {
        foreach (var link in names.Select(name => Path.Combine(_root, "class", name)))
        {
            Directory.Delete(File.ResolveLinkTarget(link, returnFinalTarget: true)!.FullName, recursive: true);
            File.Delete(link);
        }
    }

    private static void Write(string directory, string name, string text)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, name), text);
    }
}
