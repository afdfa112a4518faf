using System.Net;
using Agent.Devices;
using Agent.Devices.Gpio;
using Agent.Devices.Pwm;
using Agent.Devices.Sensors;
using Agent.Home.Automations;
using Agent.Mqtt;
using Agent.Transport;
using Agent.Whip;

namespace Agent.Configuration;

/// <summary>Everything that can be configured; a new instance is the agent with no configuration at all.</summary>
internal sealed record AgentOptions
{
    public IReadOnlyList<CameraOptions> Cameras { get; init; } = [new CameraOptions { Name = "main" }];

    public HttpOptions Http { get; init; } = new();

    public TransportOptions WebRtc { get; init; } = new();

    public BrokerOptions Mqtt { get; init; } = new();

    public HomeAssistantOptions HomeAssistant { get; init; } = new();

    /// <summary>Dimmable lights; none unless configured.</summary>
    public IReadOnlyList<PwmLightOptions> PwmLights { get; init; } = [];

    /// <summary>Cameras on servos; none unless configured.</summary>
    public IReadOnlyList<PanTiltOptions> PanTilts { get; init; } = [];
    /// <summary>Servers that streams are published to; none unless configured.</summary>
    public IReadOnlyList<WhipOptions> Whip { get; init; } = [];

    /// <summary>What is measured; nothing unless configured.</summary>
    public IReadOnlyList<SensorOptions> Sensors { get; init; } = [];

    /// <summary>What hangs on GPIO lines; nothing unless configured.</summary>
    public IReadOnlyList<GpioOptions> Gpio { get; init; } = [];

    /// <summary>Where what is switched at run time is kept; <c>null</c> for the service manager's folder, if there is one.</summary>
    public string? StateDirectory { get; init; }

    public IReadOnlyList<AutomationOptions> Automations { get; init; } = [];

    /// <summary>Where the device is; <c>null</c> if nobody said so.</summary>
    public GeoLocation? Location { get; init; }

    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}

/// <summary>The HTTP side: WHEP, the status, the page.</summary>
internal sealed record HttpOptions
{
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>What <c>Authorization: Bearer</c> must carry; <c>null</c> asks for nothing.</summary>
    public string? BearerToken { get; init; }

    /// <summary>Said on purpose: everybody who reaches the port may watch.</summary>
    public bool AllowAnonymous { get; init; }

    /// <summary>Origins of foreign pages that may play the cameras; "*" is any.</summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>POST and PATCH requests per second that one address may keep up.</summary>
    public int RequestsPerSecond { get; init; } = 20;
}

/// <summary>The broker, for the agent itself and for the browser.</summary>
internal sealed record BrokerOptions
{
    public MqttOptions Connection { get; init; } = new();

    /// <summary>A file whose first line is the password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>Where browsers reach the same broker.</summary>
    public string? WebSocketUrl { get; init; }

    /// <summary>Whether viewers signalled over the broker may send commands on their data channel.</summary>
    public bool ViewersMayCommand { get; init; }
}
