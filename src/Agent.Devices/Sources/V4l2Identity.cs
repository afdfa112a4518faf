using Agent.Interop.V4l2;

namespace Agent.Devices.Sources;

/// <summary>
/// Which camera a configured path means, for as long as the agent runs. A link or a selector (<c>serial:…</c>, <c>bus:…</c>) means what it
/// leads to now. A plain node means the camera that was first opened there: that one is found again under any number, by its USB serial
/// number or else by where it is plugged in, and no other is taken for it. One thread.
/// </summary>
internal sealed class V4l2Identity
{
    /// <summary>Followed by a USB serial number.</summary>
    public const string SerialPrefix = "serial:";

    /// <summary>Followed by v4l2_capability.bus_info.</summary>
    public const string BusPrefix = "bus:";

    private readonly string sysfs;
    private readonly string devices;
    private readonly Func<string, V4l2Capability?> ask;
    private V4l2Node? known;
    private bool isKnownBySerial;

    public V4l2Identity()
        : this(V4l2Sysfs.Root, "/dev", Ask)
    {
    }

    /// <param name="sysfs">The folder with an entry for each video node.</param>
    /// <param name="devices">The folder with the nodes.</param>
    /// <param name="ask">Asks a node what it is; <c>null</c> if it does not answer.</param>
    internal V4l2Identity(string sysfs, string devices, Func<string, V4l2Capability?> ask) => (this.sysfs, this.devices, this.ask) = (sysfs, devices, ask);

    /// <summary>What to configure so that a camera is found wherever it comes back: its serial number, else its port, else the node.</summary>
    public static string StablePath(string path, V4l2Capability capability)
    {
        var serial = V4l2Sysfs.Find(Path.GetFileName(path))?.Usb?.Serial;
        return MeansNode(SerialPrefix + serial) ? SerialPrefix + serial : MeansNode(BusPrefix + capability.Bus) ? BusPrefix + capability.Bus : path;

        bool MeansNode(string selector)
        {
            try
            {
                return !selector.EndsWith(':') && new V4l2Identity().Locate(selector) == path;
            }
            catch (VideoSourceException)
            {
                return false;
            }
        }
    }

    /// <summary>Whether the camera was there before.</summary>
    public bool IsKnown => known is not null;

    /// <summary>The node to open. Cheap when the camera is absent: no device is opened.</summary>
    /// <exception cref="VideoSourceException">The camera is not there, or the selector fits more than one.</exception>
    public string Locate(string path)
    {
        if (path.StartsWith(SerialPrefix, StringComparison.Ordinal))
        {
            var serial = path[SerialPrefix.Length..];
            return Select(path, [.. V4l2Sysfs.All(sysfs).Where(node => node.Usb?.Serial == serial)]);
        }

        if (path.StartsWith(BusPrefix, StringComparison.Ordinal))
        {
            var bus = path[BusPrefix.Length..];
            var isUsb = bus.StartsWith("usb-", StringComparison.Ordinal);
            return Select(path, [.. V4l2Sysfs.All(sysfs).Where(node => isUsb ? node.Usb?.Bus == bus : node.Usb is null && ask(Node(node))?.Bus == bus)]);
        }

        return V4l2Sysfs.ResolveLink(path) is { } target ? target
            : known is null ? path
            : V4l2Sysfs.All(sysfs).FirstOrDefault(IsKnownCamera) is { } node ? Node(node)
            : throw Absent(path);
    }

    /// <summary>The node has been opened: makes sure that no other camera took it in the meantime.</summary>
    /// <exception cref="VideoSourceException">One has.</exception>
    public void Check(string path, string node)
    {
        if (known is not null && !IsFollowed(path) && V4l2Sysfs.Find(Path.GetFileName(node), sysfs) is { } opened && !IsKnownCamera(opened))
        {
            throw Absent(path);
        }
    }

    /// <summary>The camera at this node streams: from now on the path means this one.</summary>
    public void Remember(string node)
    {
        // Without sysfs there is nothing to go by, and a camera that has just gone says so itself.
        known = V4l2Sysfs.Find(Path.GetFileName(node), sysfs) ?? known;
        // Some makers give every camera the same number.
        isKnownBySerial = known?.Usb is { Serial: { } serial } usb
            && V4l2Sysfs.All(sysfs).Select(other => other.Usb).OfType<UsbDevice>()
                .Where(other => other.Serial == serial && other.IsSameModel(usb)).DistinctBy(other => other.Directory).Count() == 1;
    }

    /// <summary>The camera that a path means is not there.</summary>
    public VideoSourceException Absent(string path)
    {
        var name = $"camera {path}: ";
        if (known is null)
        {
            return new(name + "not plugged in; waiting for it ('camera-agent probe' lists what there is)") { Failure = SourceFailure.Absent };
        }

        var identity = isKnownBySerial ? $"serial number {known.Usb!.Serial}" : known.Usb?.Bus ?? known.Device;
        var other = V4l2Sysfs.Find(Path.GetFileName(path), sysfs);
        return new($"{name}unplugged; waiting for it ({known.Card}, {identity})"
            + (other is null ? "" : $"; '{other.Card}' at {path} is another one")) { Failure = SourceFailure.Absent };
    }

    private static V4l2Capability? Ask(string node)
    {
        using var device = V4l2Device.TryOpen(node, out _);
        return device is not null && V4l2Enumeration.TryQueryCapability(device, out var capability) == 0 ? capability : null;
    }

    /// <summary>True for paths that mean whatever they lead to.</summary>
    private static bool IsFollowed(string path) =>
        path.StartsWith(SerialPrefix, StringComparison.Ordinal) || path.StartsWith(BusPrefix, StringComparison.Ordinal) || V4l2Sysfs.ResolveLink(path) is not null;

    private string Node(V4l2Node node) => Path.Combine(devices, node.Name);

    /// <summary>The first node that captures video, of the one device there should be.</summary>
    private string Select(string path, List<V4l2Node> nodes)
    {
        if (nodes.Select(node => node.Usb?.Directory ?? node.Device).Distinct().Count() > 1)
        {
            throw new VideoSourceException(
                $"camera {path}: fits {string.Join(" and ", nodes.Select(Node).Order())}; use '{BusPrefix}', which 'camera-agent probe' shows, to tell them apart");
        }

        var node = nodes.OrderBy(node => (node.Usb?.Interface ?? 0, node.Index)).FirstOrDefault(node => ask(Node(node)) is not { IsCamera: false });
        return node is null ? throw Absent(path) : Node(node);
    }

    private bool IsKnownCamera(V4l2Node node) => (known!.Usb, node.Usb) switch
    {
        ({ } was, { } now) => now.IsSameModel(was) && now.Serial == was.Serial && (now.Interface, node.Index) == (was.Interface, known.Index)
            && (isKnownBySerial || node.Device == known.Device),
        (null, null) => (node.Device, node.Index, node.Card) == (known.Device, known.Index, known.Card),
        _ => false,
    };
}
