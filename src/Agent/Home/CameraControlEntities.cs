using System.Globalization;
using Agent.Devices;
using Agent.Devices.Probe;
using Agent.Devices.Sources;

namespace Agent.Home;

/// <summary>
/// The controls of the camera that is plugged in, such as its brightness, as settings of a smart home. They appear when the camera is opened, since they are not
/// known before. <see cref="Update"/> is called by one task; commands come on any thread.
/// </summary>
internal sealed partial class CameraControlEntities
{
    /// <summary>Shown to every home; of the rest a camera may have dozens, which its owner enables.</summary>
    private static readonly string[] CommonWords = ["brightness", "contrast", "saturation", "exposure", "focus"];

    private readonly string _camera;
    private readonly string _prefix;
    private readonly EntityRegistry _entities;
    private readonly Func<string> _source;
    private readonly Func<IReadOnlyList<ControlReport>> _list;
    private readonly Func<string, string, ControlOutcome> _set;
    private readonly ILogger _log;
    private readonly Dictionary<string, ControlReport> _shown = [];
    private readonly HashSet<string> _leftOut = [];
    private string? _shownSource;

    public CameraControlEntities(CameraPipeline camera, EntityRegistry entities, ILogger log)
        : this(camera.Options.Name, entities, () => camera.GetStatus().Source, camera.ListControls, camera.SetControl, log)
    {
    }

    /// <param name="camera">The camera's name.</param>
    /// <param name="entities">Gets the entities.</param>
    /// <param name="source">What identifies the camera that is, or was last, plugged in.</param>
    /// <param name="list">Its controls; none while it is away.</param>
    /// <param name="set">Sets one by name.</param>
    /// <param name="log">Says which control cannot be shown.</param>
    internal CameraControlEntities(
        string camera, EntityRegistry entities, Func<string> source, Func<IReadOnlyList<ControlReport>> list, Func<string, string, ControlOutcome> set, ILogger log)
    {
        (_camera, _entities, _source, _list, _set, _log) = (camera, entities, source, list, set, log);
        _prefix = $"{CameraEntities.ToId(camera)}_control_";
    }

    /// <summary>Publishes what the driver has now; while the camera is away its controls are unavailable.</summary>
    public void Update()
    {
        // In this order: when the camera is exchanged in between, the next update still finds another source.
        var source = _source();
        var controls = _list().Where(IsShowable).DistinctBy(control => control.Key).ToDictionary(control => control.Key);
        foreach (var key in _shown.Keys.Except(controls.Keys).ToList())
        {
            // Also of a camera that was pulled out in the middle of the list.
            if (controls.Count == 0 || source == _shownSource) _entities.SetAvailable(_prefix + key, false);
            else Remove(key);
        }
        foreach (var control in controls.Values) Show(control);
        if (controls.Count > 0) _shownSource = source;
    }

    private static bool IsShowable(ControlReport control) => control.Key.Length > 0 && control.Type switch
    {
        // Home Assistant takes no number without a range.
        "integer" => control.Minimum < control.Maximum,
        "menu" => control.Choices.Count > 0,
        "boolean" or "button" => true,
        _ => false,
    };

    private void Show(ControlReport control)
    {
        var id = _prefix + control.Key;
        if (_shown.TryGetValue(control.Key, out var shown) && !IsSameKind(shown, control)) Remove(control.Key);
        if (_shown.TryAdd(control.Key, control))
        {
            if (!Entity.IsId(id) || _entities.Find(id) is not null)
            {
                _shown.Remove(control.Key);
                if (_leftOut.Add(id)) LogLeftOut(_camera, control.Key, id);
                return;
            }
            _entities.Register(Describe(id, control), (value, _) => new(Set(control, id, value)));
        }
        var text = control.Value is { } value ? Text(control, value) : null;
        if (text is not null) _entities.Publish(id, text);
        _entities.SetAvailable(id, control.Obstacle is null && (text is not null || control.Value is null));
    }

    private void Remove(string key)
    {
        _shown.Remove(key);
        _entities.Remove(_prefix + key);
    }

    private static bool IsSameKind(ControlReport one, ControlReport other) =>
        (one.Type, one.Minimum, one.Maximum, one.Step) == (other.Type, other.Minimum, other.Maximum, other.Step) && one.Choices.SequenceEqual(other.Choices);

    private Entity Describe(string id, ControlReport control)
    {
        var name = $"{_camera} {EntityNames.ToWords(control.Key)}";
        Entity entity = control.Type switch
        {
            "boolean" => new SwitchEntity(id, name),
            "menu" => new SelectEntity(id, name, [.. control.Choices.Select(choice => Word(control, choice))]),
            "button" => new ButtonEntity(id, name),
            _ => new NumberEntity(id, name, control.Minimum, control.Maximum, Math.Max(control.Step, 1)),
        };
        return entity with { Category = EntityCategory.Config, IsEnabledByDefault = CommonWords.Any(control.Key.Contains) };
    }

    private CommandOutcome Set(ControlReport control, string id, string value)
    {
        var outcome = _set(control.Key, control.Type switch
        {
            "boolean" => value == SwitchEntity.On ? "true" : "false",
            // By number: the entries of an integer menu have other numbers for names.
            "menu" => Text(control.Choices.First(choice => Word(control, choice) == value).Value),
            "button" => value,
            _ => Text((long)double.Parse(value, CultureInfo.InvariantCulture)),
        });
        if (!outcome.IsSet) return CommandOutcome.Refused(outcome.Message ?? $"{control.Key} could not be set");
        if (Text(control, outcome.Value) is { } text) _entities.Publish(id, text);
        return CommandOutcome.Done;
    }

    /// <summary><c>null</c> for what has no value, or a menu's that is none of its entries.</summary>
    private static string? Text(ControlReport control, long value) => control.Type switch
    {
        "boolean" => value != 0 ? SwitchEntity.On : SwitchEntity.Off,
        "menu" => control.Choices.FirstOrDefault(choice => choice.Value == value) is { } chosen ? Word(control, chosen) : null,
        "button" => null,
        _ => Text(value),
    };

    /// <summary>The driver's name of a menu's entry, with its number if others are called the same.</summary>
    private static string Word(ControlReport control, ControlChoice choice) =>
        choice.Name.Length > 0 && control.Choices.Count(other => other.Name.Equals(choice.Name, StringComparison.OrdinalIgnoreCase)) == 1
            ? choice.Name : $"{choice.Name} ({choice.Value})".TrimStart();

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Camera {Camera}: the control {Control} is not shown to the smart home: \"{Id}\" is taken or too long; rename the camera or the other entity")]
    private partial void LogLeftOut(string camera, string control, string id);
}
