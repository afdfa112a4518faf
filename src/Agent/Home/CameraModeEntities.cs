using System.Globalization;
using Agent.Configuration;
using Agent.Devices;
using Agent.Devices.Sources;

namespace Agent.Home;

/// <summary>
/// Size, frame rate and encoder of one camera, to be chosen at run time. A choice stands in place of the configuration over restarts, until the configured value
/// is chosen again. <see cref="Update"/> is called by one task; commands come on any thread.
/// </summary>
internal sealed class CameraModeEntities
{
    private readonly CameraPipeline _camera;
    private readonly EntityRegistry _entities;
    private readonly PersistentState _state;
    private readonly Lock _choosing = new();
    private readonly string _rateId;
    private readonly string _sizeId;
    private readonly string _encoderId;
    private IReadOnlyList<FrameSize> _shownSizes = [];

    /// <param name="camera">Not started yet, so that it is opened as was chosen at first.</param>
    /// <param name="entities">Gets the entities; the size once the camera has been opened, since what it offers is not known before.</param>
    /// <param name="state">Remembers what is chosen.</param>
    public CameraModeEntities(CameraPipeline camera, EntityRegistry entities, PersistentState state)
    {
        (_camera, _entities, _state) = (camera, entities, state);
        var prefix = CameraEntities.ToId(camera.Options.Name);
        (_rateId, _sizeId, _encoderId) = ($"{prefix}_target_frame_rate", $"{prefix}_resolution", $"{prefix}_encoder_kind");
        camera.SetMode(Restore());
        if (IsAdjustable)
        {
            entities.Register(
                new NumberEntity(_rateId, $"{camera.Options.Name} target frame rate", 1, ConfigurationTable.MaximumFrameRate) { Unit = "fps", Category = EntityCategory.Config },
                (value, _) => new(Choose(mode => mode with { FrameRate = (int)double.Parse(value, CultureInfo.InvariantCulture) })));
        }
        entities.Register(
            new SelectEntity(_encoderId, $"{camera.Options.Name} encoder choice", [.. ConfigurationTable.EncoderKinds.Select(static kind => kind.Word)])
            {
                Category = EntityCategory.Config, IsEnabledByDefault = false,
            },
            (value, _) => new(Choose(mode => mode with { Encoder = ReadKind(value) })));
        Publish();
    }

    private bool IsAdjustable => CameraMode.IsAdjustable(_camera.Options.Source.Kind);

    private FrameSize ConfiguredSize => new(_camera.Options.Source.Width, _camera.Options.Source.Height);

    /// <summary>Offers the sizes that the camera has now.</summary>
    public void Update()
    {
        var sizes = _camera.Sizes;
        // What makes any size makes the configured one too, also while it makes another.
        if (sizes.Count > 0 && _camera.Options.Source.Kind != VideoSourceKind.V4l2) sizes = FrameSize.Sort(sizes.Append(ConfiguredSize));
        if (sizes.SequenceEqual(_shownSizes)) return;
        _entities.Remove(_sizeId);
        _shownSizes = sizes;
        if (sizes.Count < 2) return;
        var options = sizes.Select(static size => size.ToString()).ToList();
        _entities.Register(
            new SelectEntity(_sizeId, $"{_camera.Options.Name} resolution", options) { Category = EntityCategory.Config },
            (value, _) => new(Choose(mode => FrameSize.TryParse(value, out var size) ? mode with { Size = size } : mode)));
        Publish();
    }

    private static VideoEncoderKind? ReadKind(string? word) => ConfigurationTable.EncoderKinds.Where(kind => kind.Word == word).Select(static kind => (VideoEncoderKind?)kind.Kind).FirstOrDefault();

    private CommandOutcome Choose(Func<CameraMode, CameraMode> change)
    {
        lock (_choosing)
        {
            var chosen = change(_camera.Mode);
            var (source, encoder) = (_camera.Options.Source, _camera.Options.Encoder);
            var mode = new CameraMode
            {
                Size = chosen.Size == ConfiguredSize ? null : chosen.Size,
                FrameRate = chosen.FrameRate == source.FrameRate ? null : chosen.FrameRate,
                Encoder = chosen.Encoder == encoder.Kind ? null : chosen.Encoder,
            };
            _state.Keep(Key("resolution"), mode.Size?.ToString());
            _state.Keep(Key("frameRate"), mode.FrameRate?.ToString(CultureInfo.InvariantCulture));
            _state.Keep(Key("encoder"), mode.Encoder is { } kind ? Word(kind) : null);
            _camera.SetMode(mode);
            Publish();
        }
        return CommandOutcome.Done;
    }

    private CameraMode Restore()
    {
        var mode = new CameraMode { Encoder = ReadKind(_state.Find(Key("encoder"))) };
        if (!IsAdjustable) return mode;
        if (FrameSize.TryParse(_state.Find(Key("resolution")), out var size)) mode = mode with { Size = size };
        return int.TryParse(_state.Find(Key("frameRate")), NumberStyles.None, CultureInfo.InvariantCulture, out var rate) && rate is > 0 and <= ConfigurationTable.MaximumFrameRate
            ? mode with { FrameRate = rate } : mode;
    }

    /// <summary>A size that was configured need not be one that the camera has: it is given the nearest then.</summary>
    private void Publish()
    {
        var mode = _camera.Mode;
        _entities.Publish(_rateId, (mode.FrameRate ?? _camera.Options.Source.FrameRate).ToString(CultureInfo.InvariantCulture));
        _entities.Publish(_encoderId, Word(mode.Encoder ?? _camera.Options.Encoder.Kind));
        var wished = mode.Size ?? ConfiguredSize;
        var sizes = _shownSizes;
        if (sizes.Count == 0) return;
        var shown = sizes.Contains(wished) ? wished : sizes.MinBy(size => Math.Abs(size.Width - wished.Width) + Math.Abs(size.Height - wished.Height));
        _entities.Publish(_sizeId, shown.ToString());
    }

    private string Key(string what) => $"camera.{_camera.Options.Name}.{what}";

    private static string Word(VideoEncoderKind kind) => ConfigurationTable.EncoderKinds.First(known => known.Kind == kind).Word;
}
