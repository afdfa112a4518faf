using Agent.Devices;

namespace Agent.Home;

/// <summary>Turns one camera off for privacy and on again, by whatever way that is asked for, and remembers it. Thread-safe.</summary>
internal sealed class CameraPrivacy
{
    /// <summary>Below the time in which MQTT commands have to be answered.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly CameraPipeline _camera;
    private readonly PersistentState _state;
    private readonly string _key;
    private readonly Lock _lock = new();
    private readonly SortedSet<string> _switches = new(StringComparer.Ordinal);
    private bool _isWanted;

    /// <param name="camera">Not started yet: if it was private it is from its first moment on, and its device is never opened.</param>
    /// <param name="state">Remembers.</param>
    public CameraPrivacy(CameraPipeline camera, PersistentState state)
    {
        (_camera, _state) = (camera, state);
        _key = $"camera.{camera.Options.Name}.privacy";
        if (camera.Options.Privacy == PrivacyAtStart.On || (camera.Options.Privacy == PrivacyAtStart.Restore && state.Find(_key) == SwitchEntity.On))
        {
            _isWanted = true;
            camera.SetPrivacy(true);
        }
    }

    /// <summary>A switch at the device has a say before everybody else: while it is on the camera is off, whatever is asked for.</summary>
    /// <param name="by">The switch.</param>
    /// <param name="isOn">Whether it is on, or cannot be read; otherwise what was asked for last counts again.</param>
    public void Enforce(string by, bool isOn)
    {
        lock (_lock)
        {
            if (isOn) _switches.Add(by);
            else _switches.Remove(by);
            _camera.SetPrivacy(_isWanted || _switches.Count > 0);
        }
    }

    /// <summary>Viewers see nothing of the camera from the start of this call on, if it is turned off.</summary>
    /// <returns>Done once the device is closed, or allowed to be opened again.</returns>
    public async ValueTask<CommandOutcome> SetAsync(bool isOn, CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!isOn && _switches.Min is { } by) return CommandOutcome.Refused($"camera \"{_camera.Options.Name}\" is private by the switch \"{by}\" at the device, and by that alone it is turned on again");
            _isWanted = isOn;
            _camera.SetPrivacy(isOn);
        }
        _state.Keep(_key, isOn ? SwitchEntity.On : SwitchEntity.Off);
        if (!isOn || await _camera.WaitForPrivacyAsync(Patience, cancellation)) return CommandOutcome.Done;
        return CommandOutcome.Refused(_camera.WantsPrivacy
            ? $"camera \"{_camera.Options.Name}\" is no longer shown to anybody, but its driver has not let go of it for {Patience.TotalSeconds:0} s; unplug it if this stays"
            : $"camera \"{_camera.Options.Name}\" was switched on again meanwhile");
    }
}
