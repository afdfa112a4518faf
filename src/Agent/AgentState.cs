using System.Collections.ObjectModel;
using System.Reflection;
using Agent.Devices;
using Agent.Devices.Motion;
using Agent.Home;
using Agent.Http;
using Agent.Mqtt;
using Agent.Transport;
using Agent.Whip;

namespace Agent;

/// <summary>What the HTTP side can see of the running agent.</summary>
/// <param name="Gateway">The media loop.</param>
/// <param name="Cameras">Takes the cameras' present state.</param>
/// <param name="Broker">Takes the broker connection's, <c>null</c> without a broker.</param>
/// <param name="Clock">Wall clock and uptime.</param>
internal sealed record AgentState(IViewerGateway Gateway, Func<IReadOnlyList<CameraStatus>> Cameras, Func<MqttStatus?> Broker, TimeProvider Clock)
{
    /// <summary>The cameras by name.</summary>
    public IReadOnlyDictionary<string, CameraUnit> Units { get; init; } = ReadOnlyDictionary<string, CameraUnit>.Empty;

    /// <summary>Who looks for motion, where that is configured.</summary>
    public IReadOnlyList<CameraMotion> Motion { get; init; } = [];

    /// <summary>What the smart home sees.</summary>
    public EntityRegistry Entities { get; init; } = new();

    /// <summary>Commands for PWM outputs that were refused; <c>null</c> without such outputs.</summary>
    public Func<long?> PwmCommandsRefused { get; init; } = static () => null;

    /// <summary>What is measured; <c>null</c> if nothing is configured to be.</summary>
    public Func<SensorEntities?> Sensors { get; init; } = static () => null;

    /// <summary>How GPIO lines have done; <c>null</c> without any.</summary>
    public Func<GpioCounters?> Gpio { get; init; } = static () => null;

    /// <summary>Servers that streams are published to; <c>null</c> without any.</summary>
    public Func<IReadOnlyList<WhipStatus>?> Publishers { get; init; } = static () => null;

    /// <summary>What happens by itself; <c>null</c> if nothing is configured to.</summary>
    public AutomationHome? Automations { get; init; }

    private readonly long _started = Clock.GetTimestamp();

    /// <summary>Version and source revision of this build.</summary>
    public static string Version { get; } =
        typeof(AgentState).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public TimeSpan Uptime => Clock.GetElapsedTime(_started);

    /// <summary>What keeps the agent from its job, in words; empty when all is well.</summary>
    public IReadOnlyList<string> FindProblems()
    {
        var problems = new List<string>();
        foreach (var camera in Cameras().Where(c => c is { IsProducing: false, IsPrivate: false }))
        {
            problems.Add($"Camera \"{camera.Name}\" ({camera.Source}) produces nothing: {camera.Error ?? "no frame has come yet."}");
        }

        if (Broker() is { Connected: false } broker)
        {
            problems.Add($"The broker {broker.Broker} is not connected: {broker.LastError ?? "no answer yet."}");
        }

        return problems;
    }
}
