using System.Globalization;
using System.Threading.Channels;
using Agent.Devices.Motion;
using Agent.Devices.Snapshots;
using Agent.Media.Motion;

namespace Agent.Home;

/// <summary>
/// What moves in one camera's view as a smart home sees it: the camera's motion, each zone's, a picture of when it began last; how sensitive,
/// and whether at all. Pictures are taken by one task from its making to its disposal.
/// </summary>
internal sealed class MotionEntities : IAsyncDisposable
{
    private readonly CameraMotion _motion;
    private readonly SnapshotTaker _snapshots;
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly string _prefix;
    private readonly string[] _zones;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Drop policy: while a picture is being taken, the next one's request is left out: it would show much the same.</summary>
    private readonly Channel<bool> _begun = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _task;
    private bool _wasMoving;

    /// <param name="motion">The camera's motion.</param>
    /// <param name="snapshots">Takes its pictures.</param>
    /// <param name="entities">Gets the entities, before this returns.</param>
    /// <param name="state">Remembers what is set at run time.</param>
    public MotionEntities(CameraMotion motion, SnapshotTaker snapshots, EntityRegistry entities, PersistentState state)
    {
        (_motion, _snapshots, _entities, _state) = (motion, snapshots, entities, state);
        var options = motion.Camera.Options;
        _prefix = CameraEntities.ToId(options.Name);
        _zones = [.. options.Motion.Settings.Zones.Select(zone => $"motion_{CameraEntities.ToId(zone.Name)}")];
        entities.Register(new BinarySensorEntity(Id("motion"), $"{options.Name} motion") { DeviceClass = "motion" });
        foreach (var zone in options.Motion.Settings.Zones)
            entities.Register(new BinarySensorEntity(Id($"motion_{CameraEntities.ToId(zone.Name)}"), $"{options.Name} motion {zone.Name}") { DeviceClass = "motion" });
        entities.Register(new PictureEntity(Id("last_event"), $"{options.Name} last event"));
        entities.Register(
            new SwitchEntity(Id("motion_detection"), $"{options.Name} motion detection") { Icon = "mdi:motion-sensor", Category = EntityCategory.Config },
            (value, _) => new(SetWanted(value)));
        entities.Register(
            new NumberEntity(Id("motion_sensitivity"), $"{options.Name} motion sensitivity", MotionSettings.LeastSensitive, MotionSettings.MostSensitive)
            {
                Icon = "mdi:tune", Category = EntityCategory.Config,
            },
            (value, _) => new(SetSensitivity(value)));
        if (state.Find(Key("detection")) == SwitchEntity.Off) motion.SetWanted(false);
        if (int.TryParse(state.Find(Key("sensitivity")), NumberStyles.None, CultureInfo.InvariantCulture, out var remembered)
            && remembered is >= MotionSettings.LeastSensitive and <= MotionSettings.MostSensitive)
            motion.SetSensitivity(remembered);
        entities.Publish(Id("motion_detection"), motion.IsWanted ? SwitchEntity.On : SwitchEntity.Off);
        entities.Publish(Id("motion_sensitivity"), motion.Sensitivity.ToString(CultureInfo.InvariantCulture));
        Show(motion.State);
        motion.Changed += Show;
        motion.Camera.PrivacyChanged += ShowPrivacy;
        _task = Task.Run(TakePicturesAsync);
    }

    /// <summary>To be called when the motion has been disposed of.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _task;
        _stop.Dispose();
    }

    /// <summary>On the motion's thread, but for the first.</summary>
    private void Show(MotionState state)
    {
        Show("motion", state.IsMoving, state.IsLooking);
        for (var zone = 0; zone < _zones.Length; zone++) Show(_zones[zone], state.Zones[zone], state.IsLooking);
        if (state.IsMoving && !_wasMoving) _begun.Writer.TryWrite(true);
        _wasMoving = state.IsMoving;
    }

    private void Show(string what, bool isMoving, bool isKnown)
    {
        _entities.Publish(Id(what), isMoving ? SwitchEntity.On : SwitchEntity.Off);
        _entities.SetAvailable(Id(what), isKnown);
    }

    /// <summary>On the camera's thread. The picture may show the very person who wants not to be seen.</summary>
    private void ShowPrivacy(bool isOn)
    {
        if (isOn) _entities.PublishPicture(Id("last_event"), default);
    }

    private async Task TakePicturesAsync()
    {
        try
        {
            await foreach (var _ in _begun.Reader.ReadAllAsync(_stop.Token))
            {
                if ((await _snapshots.TakeAsync(_stop.Token)).Jpeg is not { } jpeg) continue;
                _entities.PublishPicture(Id("last_event"), jpeg);
                // Taken just before: it must not stay.
                if (_motion.Camera.WantsPrivacy) _entities.PublishPicture(Id("last_event"), default);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private CommandOutcome SetWanted(string value)
    {
        _motion.SetWanted(value == SwitchEntity.On);
        _state.Keep(Key("detection"), value);
        _entities.Publish(Id("motion_detection"), value);
        return CommandOutcome.Done;
    }

    private CommandOutcome SetSensitivity(string value)
    {
        _motion.SetSensitivity(int.Parse(value, CultureInfo.InvariantCulture));
        _state.Keep(Key("sensitivity"), value);
        _entities.Publish(Id("motion_sensitivity"), value);
        return CommandOutcome.Done;
    }

    private string Id(string what) => $"{_prefix}_{what}";

    private string Key(string what) => $"camera.{_motion.Camera.Options.Name}.motion.{what}";
}
