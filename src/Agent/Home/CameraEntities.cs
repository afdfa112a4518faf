using System.Globalization;
using Agent.Configuration;
using Agent.Http;

namespace Agent.Home;

/// <summary>One camera as a smart home sees and operates it. Called by one task, its commands from any thread.</summary>
internal sealed class CameraEntities
{
    private const int BitsPerKilobit = 1000;

    /// <summary>kbit/s, and pictures a second: smaller changes are noise that a history would keep.</summary>
    private const int RateStep = 10;

    /// <summary>Known, or to be had, while pictures come only.</summary>
    private static readonly string[] WhileProducing = ["snapshot", "take_snapshot", "frame_rate", "bitrate_now", "encoder"];

    private readonly CameraUnit _camera;
    private readonly EntityRegistry _entities;
    private readonly string _prefix;

    public CameraEntities(CameraUnit camera, EntityRegistry entities)
    {
        _camera = camera;
        _entities = entities;
        var name = camera.Pipeline.Options.Name;
        _prefix = ToId(name);
        entities.Register(new PictureEntity(Id("snapshot"), $"{name} snapshot") { IsLive = true });
        entities.Register(new ButtonEntity(Id("take_snapshot"), $"{name} take snapshot") { Icon = "mdi:camera" }, (_, cancellation) => new(TakeSnapshotAsync(cancellation)));
        entities.Register(
            new SwitchEntity(Id("privacy"), $"{name} privacy") { Icon = "mdi:eye-off" },
            (value, cancellation) => camera.Privacy.SetAsync(value == SwitchEntity.On, cancellation));
        entities.Publish(Id("privacy"), SwitchEntity.Off);
        camera.Pipeline.PrivacyChanged += ShowPrivacy;
        entities.Register(
            new ButtonEntity(Id("restart"), $"{name} restart") { DeviceClass = "restart", Category = EntityCategory.Config }, (_, _) => new(Restart()));
        entities.Register(
            new NumberEntity(
                Id("bitrate"), $"{name} target bitrate", ConfigurationTable.MinimumBitrate / BitsPerKilobit, ConfigurationTable.MaximumBitrate / BitsPerKilobit, 50)
            {
                Unit = "kbit/s", Category = EntityCategory.Config, DeviceClass = "data_rate",
            },
            (value, _) => new(SetBitrate(value)));
        entities.Register(Sensor("frame_rate", "frame rate", "fps") with { Precision = 0 });
        entities.Register(Sensor("bitrate_now", "bitrate", "kbit/s") with { DeviceClass = "data_rate", Precision = 0 });
        entities.Register(new SensorEntity(Id("encoder"), $"{name} encoder") { Category = EntityCategory.Diagnostic, IsEnabledByDefault = false });

        SensorEntity Sensor(string what, string words, string unit) =>
            new(Id(what), $"{name} {words}") { Unit = unit, StateClass = "measurement", Category = EntityCategory.Diagnostic };
    }

    /// <summary>A camera's name as the beginning of entity ids: two names that differ in case or '-' only make the same one.</summary>
    public static string ToId(string camera) => camera.ToLowerInvariant().Replace('-', '_');

    /// <summary>The button that takes a camera's snapshot.</summary>
    public static string TakeSnapshotId(string camera) => $"{ToId(camera)}_take_snapshot";

    /// <summary>Publishes what the camera is doing now.</summary>
    public void Publish()
    {
        var status = _camera.Pipeline.GetStatus();
        foreach (var what in WhileProducing) _entities.SetAvailable(Id(what), status.IsProducing);
        _entities.Publish(Id("bitrate"), Text(status.TargetBitrateBps / BitsPerKilobit));
        if (!status.IsProducing) return;
        _entities.Publish(Id("frame_rate"), Text((long)Math.Round(status.FramesPerSecond)));
        _entities.Publish(Id("bitrate_now"), Text(status.BitrateBps / BitsPerKilobit / RateStep * RateStep));
        _entities.Publish(Id("encoder"), status.Encoder ?? "none");
    }

    /// <summary>Publishes the next picture.</summary>
    public async Task<CommandOutcome> TakeSnapshotAsync(CancellationToken cancellation)
    {
        var snapshot = await _camera.Snapshots.TakeAsync(cancellation);
        if (snapshot.Jpeg is not { } jpeg) return CommandOutcome.Refused(snapshot.Problem!);
        _entities.PublishPicture(Id("snapshot"), jpeg);
        // Taken just before: it must not stay.
        if (_camera.Pipeline.WantsPrivacy) _entities.PublishPicture(Id("snapshot"), default);
        return CommandOutcome.Done;
    }

    /// <summary>On the camera's thread. The picture that the broker keeps must not stay, nor the one that HTTP would show.</summary>
    private void ShowPrivacy(bool isOn)
    {
        _entities.Publish(Id("privacy"), isOn ? SwitchEntity.On : SwitchEntity.Off);
        _entities.SetAvailable(Id("restart"), !isOn);
        if (!isOn) return;
        foreach (var what in WhileProducing) _entities.SetAvailable(Id(what), false);
        _entities.PublishPicture(Id("snapshot"), default);
    }

    private CommandOutcome Restart()
    {
        if (_camera.Pipeline.WantsPrivacy) return CommandOutcome.Refused("the camera is off; switch privacy off first");
        _camera.Pipeline.Reopen();
        return CommandOutcome.Done;
    }

    private CommandOutcome SetBitrate(string kilobits)
    {
        _camera.Pipeline.SetBitrate((int)(double.Parse(kilobits, CultureInfo.InvariantCulture) * BitsPerKilobit));
        _entities.Publish(Id("bitrate"), kilobits);
        return CommandOutcome.Done;
    }

    private string Id(string what) => $"{_prefix}_{what}";

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
