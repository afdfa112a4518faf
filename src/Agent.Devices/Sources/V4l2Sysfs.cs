using System.Globalization;

namespace Agent.Devices.Sources;

/// <summary>A video node as sysfs knows it.</summary>
/// <param name="Name">video0, …</param>
/// <param name="Card">The driver's name for it.</param>
/// <param name="Device">Folder of the device it belongs to: where it is plugged in.</param>
/// <param name="Index">Which of the device's nodes it is.</param>
/// <param name="Usb">What the USB device says about itself; <c>null</c> on other buses.</param>
internal sealed record V4l2Node(string Name, string Card, string Device, int Index, UsbDevice? Usb);

/// <summary>A USB device (kernel documentation, Documentation/ABI/stable/sysfs-bus-usb).</summary>
/// <param name="Vendor">idVendor.</param>
/// <param name="Product">idProduct.</param>
/// <param name="Serial">Its serial number; <c>null</c> if it has none.</param>
/// <param name="Bus">As v4l2_capability.bus_info says it: usb-CONTROLLER-PORT.</param>
/// <param name="Interface">bInterfaceNumber of the node's interface.</param>
/// <param name="Directory">The device's folder.</param>
internal sealed record UsbDevice(string Vendor, string Product, string? Serial, string Bus, int Interface, string Directory)
{
    public bool IsSameModel(UsbDevice other) => (Vendor, Product) == (other.Vendor, other.Product);
}

/// <summary>Looks video nodes up without opening a device, which would wake it.</summary>
internal static class V4l2Sysfs
{
    public const string Root = "/sys/class/video4linux";

    /// <summary>v4l2_capability.bus_info holds 31 characters and a NUL.</summary>
    private const int LongestBusInfo = 31;

    /// <summary>Every video node, in no particular order; empty where there is no sysfs.</summary>
    public static IEnumerable<V4l2Node> All(string root = Root) =>
        Directory.Exists(root)
            ? Directory.EnumerateFileSystemEntries(root, "video*").Select(entry => Find(Path.GetFileName(entry), root)).OfType<V4l2Node>()
            : [];

    /// <summary>The node of this name; <c>null</c> if there is none, or none any more.</summary>
    public static V4l2Node? Find(string name, string root = Root)
    {
        // Each link is relative to where the one before really leads.
        var entry = Path.Combine(root, name);
        entry = ResolveLink(entry) ?? entry;
        if (!Directory.Exists(entry))
        {
            return null;
        }

        var device = ResolveLink(Path.Combine(entry, "device")) ?? entry;
        var index = int.TryParse(Attribute(entry, "index"), CultureInfo.InvariantCulture, out var number) ? number : 0;
        return new V4l2Node(name, Attribute(entry, "name") ?? "", device, index, Usb(device));
    }

    /// <summary>Where a symbolic link leads, whether or not something is there; <c>null</c> if the path is none.</summary>
    public static string? ResolveLink(string path) =>
        new FileInfo(path).LinkTarget is null ? null : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;

    private static UsbDevice? Usb(string interfaceDirectory)
    {
        var directory = Path.GetDirectoryName(interfaceDirectory);
        if (directory is null || Attribute(directory, "idVendor") is not { } vendor || Attribute(directory, "idProduct") is not { } product
            || !int.TryParse(Attribute(interfaceDirectory, "bInterfaceNumber"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        // The root hub, usb1 and so on, lies in its controller's folder.
        var controller = directory;
        while (controller is not null && !Path.GetFileName(controller.AsSpan()).StartsWith("usb", StringComparison.Ordinal))
        {
            controller = Path.GetDirectoryName(controller);
        }

        // As usb_make_path of linux/usb.h writes it.
        var bus = $"usb-{Path.GetFileName(Path.GetDirectoryName(controller))}-{Attribute(directory, "devpath")}";
        return new UsbDevice(vendor, product, Attribute(directory, "serial"), bus[..Math.Min(bus.Length, LongestBusInfo)], number, directory);
    }

    /// <summary>One line; <c>null</c> if it is not there or empty, or if its device is being taken away.</summary>
    private static string? Attribute(string directory, string name)
    {
        var path = Path.Combine(directory, name);
        try
        {
            return File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } text ? text : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
