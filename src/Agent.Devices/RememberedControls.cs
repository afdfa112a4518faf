using Agent.Devices.Probe;
using Agent.Devices.Sources;

namespace Agent.Devices;

/// <summary>A camera's controls across reopening: what was set at run time is set again when the camera is back. Thread-safe.</summary>
internal sealed class RememberedControls
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private ICameraControls? _present;
    private bool _isOpen;

    /// <summary>The source is open: sets what was set before. Returns why what could not be set.</summary>
    public IReadOnlyList<string> Attach(ICameraControls? controls)
    {
        lock (_lock)
        {
            _present = controls;
            _isOpen = true;
            if (controls is null) return [];
            return [.. _values.Select(value => controls.Set(value.Key, value.Value)).Where(static outcome => !outcome.IsSet).Select(static outcome => outcome.Message).OfType<string>()];
        }
    }

    /// <summary>The source is about to be closed.</summary>
    public void Detach()
    {
        lock (_lock)
        {
            _present = null;
            _isOpen = false;
        }
    }

    /// <summary>Every control, or none while the camera is away or if it has none.</summary>
    public IReadOnlyList<ControlReport> List()
    {
        lock (_lock) return _present?.List() ?? [];
    }

    /// <inheritdoc cref="CameraPipeline.SetControl"/>
    public ControlOutcome Set(string name, string value)
    {
        lock (_lock)
        {
            if (_isOpen && _present is null) return new ControlOutcome(false, 0, "this camera has no controls");
            if (_present is null)
            {
                _values[name] = value;
                return new ControlOutcome(false, 0, $"the camera is away; {name} is set to {value} when it is back");
            }
            var outcome = _present.Set(name, value);
            if (outcome.IsSet) _values[name] = value;
            return outcome;
        }
    }
}
