using System.Net;
using Agent.Mqtt;

namespace Agent.Home;

/// <summary>What the device that the agent runs on says about itself.</summary>
internal static class HostDescription
{
    /// <summary>The board's name as the kernel has it, NUL-terminated (Devicetree Specification §2.3.2).</summary>
    private const string ModelPath = "/proc/device-tree/model";

    /// <summary>The version, the board, and the page's address unless only this machine reaches it.</summary>
    public static DeviceDescription Read(IPEndPoint listen) => new(AgentState.Version, ReadModel(), PageUrl(listen, Environment.MachineName));

    /// <summary>For an agent on every address the machine's name in mDNS, under which a home's other machines know it.</summary>
    internal static string? PageUrl(IPEndPoint listen, string machineName)
    {
        var address = listen.Address;
        if (IPAddress.IsLoopback(address)) return null;
        var isAny = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        return isAny ? $"http://{machineName.ToLowerInvariant()}.local:{listen.Port}/" : $"http://{listen}/";
    }

    /// <summary>Machines without a device tree, such as PCs, have none.</summary>
    private static string? ReadModel()
    {
        try
        {
            return File.Exists(ModelPath) ? File.ReadAllText(ModelPath).TrimEnd('\0', '\n') : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
