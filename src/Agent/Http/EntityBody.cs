using Agent.Home;

namespace Agent.Http;

/// <summary>An entity as <c>/api/entities</c> shows it; what does not apply to its kind is left out.</summary>
/// <param name="Id">As in topics.</param>
/// <param name="Name">For people.</param>
/// <param name="Kind">sensor, binary_sensor, switch, light, number, select, button, event, picture or update.</param>
/// <param name="Value">The present value as text; absent while there is none.</param>
/// <param name="IsAvailable">False while the value cannot be known or the thing cannot be operated.</param>
/// <param name="TakesCommands">Whether POST does anything.</param>
internal sealed record EntityBody(string Id, string Name, string Kind, string? Value, bool IsAvailable, bool TakesCommands)
{
    public string? Category { get; init; }

    public string? DeviceClass { get; init; }

    public string? Unit { get; init; }

    /// <summary>Digits after the decimal point to show.</summary>
    public int? Precision { get; init; }

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public double? Step { get; init; }

    /// <summary>What a select takes, a sensor of texts can say, or an event can be.</summary>
    public IReadOnlyList<string>? Options { get; init; }

    public bool? HasBrightness { get; init; }

    /// <summary>Where a picture's JPEG file is, relative to the agent's URL; absent while there is none.</summary>
    public string? Picture { get; init; }

    public static EntityBody From(EntityState state)
    {
        var body = new EntityBody(state.Entity.Id, state.Entity.Name, KindOf(state.Entity), state.Value, state.IsAvailable, state.TakesCommands)
        {
            Category = state.Entity.Category == EntityCategory.Primary ? null : state.Entity.Category.ToString().ToLowerInvariant(),
            DeviceClass = state.Entity.DeviceClass,
        };
        return state.Entity switch
        {
            SensorEntity sensor => body with { Unit = sensor.Unit, Precision = sensor.Precision, Options = sensor.Options.Count > 0 ? sensor.Options : null },
            NumberEntity number => body with { Unit = number.Unit, Minimum = number.Minimum, Maximum = number.Maximum, Step = number.Step },
            SelectEntity select => body with { Options = select.Options },
            EventEntity happening => body with { Options = happening.Types },
            LightEntity light => body with { HasBrightness = light.HasBrightness },
            PictureEntity => body with { Picture = state.Picture.IsEmpty ? null : $"/api/entities/{state.Entity.Id}/picture" },
            _ => body,
        };
    }

    private static string KindOf(Entity entity) => entity switch
    {
        SensorEntity => "sensor",
        BinarySensorEntity => "binary_sensor",
        SwitchEntity => "switch",
        LightEntity => "light",
        NumberEntity => "number",
        SelectEntity => "select",
        ButtonEntity => "button",
        EventEntity => "event",
        PictureEntity => "picture",
        UpdateEntity => "update",
        _ => throw new ArgumentException($"no kind is known for {entity.GetType().Name}", nameof(entity)),
    };
}
