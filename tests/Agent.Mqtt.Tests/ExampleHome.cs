using Agent.Home;

namespace Agent.Mqtt.Tests;

/// <summary>One entity of every kind; commands become states.</summary>
internal static class ExampleHome
{
    /// <summary>JPEG SOI, two bytes that are no UTF-8, EOI.</summary>
    public static readonly byte[] Jpeg = [0xFF, 0xD8, 0x80, 0x00, 0xFF, 0xD9];

    public static EntityRegistry Make()
    {
        var home = new EntityRegistry();
        home.Register(new PictureEntity("porch_snapshot", "Porch snapshot") { IsLive = true });
        home.Register(new PictureEntity("porch_last_event", "Porch last event"));
        home.Register(new BinarySensorEntity("porch_motion", "Porch motion") { DeviceClass = "motion" });
        home.Register(new SensorEntity("temperature", "Temperature") { DeviceClass = "temperature", Unit = "°C", StateClass = "measurement", Precision = 1 });
        home.Register(new SensorEntity("mode_now", "Mode") { DeviceClass = "enum", Options = ["day", "night"], Category = EntityCategory.Config });
        home.Register(new SwitchEntity("porch_privacy", "Privacy") { Icon = "mdi:shield" }, Take(home, "porch_privacy"));
        home.Register(new LightEntity("lamp", "Lamp") { HasBrightness = true }, TakeLight(home, "lamp"));
        home.Register(new LightEntity("led", "LED"), TakeLight(home, "led"));
        home.Register(
            new NumberEntity("porch_bitrate", "Bitrate", 100, 8000, 50) { Unit = "kbit/s", Category = EntityCategory.Config, IsEnabledByDefault = false },
            Take(home, "porch_bitrate"));
        home.Register(new SelectEntity("porch_mode", "Mode", ["auto", "Tag & Nacht"]) { Category = EntityCategory.Config }, Take(home, "porch_mode"));
        home.Register(new ButtonEntity("reboot_agent", "Restart") { DeviceClass = "restart", Category = EntityCategory.Config }, (_, _) =>
        {
            home.Publish("pressed", "yes");
            return new(CommandOutcome.Done);
        });
        home.Register(new SensorEntity("pressed", "Pressed") { Category = EntityCategory.Diagnostic });
        home.Register(new EventEntity("bell", "Bell", ["press", "double_press"]) { DeviceClass = "doorbell" });
        home.Register(new UpdateEntity("version", "Agent") { DeviceClass = "firmware" });
        return home;
    }

    /// <summary>A home whose every entity has a value.</summary>
    public static EntityRegistry MakeWithValues()
    {
        var home = Make();
        home.PublishPicture("porch_snapshot", Jpeg);
        home.PublishPicture("porch_last_event", Jpeg);
        foreach (var (id, value) in new[]
        {
            ("porch_motion", "OFF"), ("temperature", "21.5"), ("mode_now", "day"), ("porch_privacy", "OFF"), ("lamp", "0"), ("led", "100"),
            ("porch_bitrate", "2000"), ("porch_mode", "auto"), ("pressed", "no"), ("version", "1.0"),
        })
        {
            home.Publish(id, value);
        }

        home.SetAvailable("temperature", false);
        return home;
    }

    public static MqttHome For(EntityRegistry entities, HomeAssistantOptions? options = null) =>
        new(entities, options ?? new HomeAssistantOptions(), new DeviceDescription("1.0", "Raspberry Pi 4", "http://porch.local:8080/"), "Porch-1");

    /// <summary>What must be retained: state and availability of each entity, by topic in hexadecimal; configuration and status aside.</summary>
    public static SortedDictionary<string, string> ExpectRetained(EntityRegistry entities)
    {
        var tree = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var state in entities.All)
        {
            var topic = $"base/{state.Entity.Id}";
            tree[$"{topic}/availability"] = Hex(state.IsAvailable ? "online" : "offline");
            var payload = state.Entity switch
            {
                PictureEntity => Convert.ToHexStringLower(state.Picture.Span),
                EventEntity or ButtonEntity => "",
                UpdateEntity when state.Value is { } version => Hex($$"""{"installed_version":"{{version}}"}"""),
                _ => Hex(state.Value ?? ""),
            };
            if (payload.Length > 0) tree[topic] = payload;
        }

        return tree;
    }

    public static string Hex(string text) => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(text));

    private static CommandHandler Take(EntityRegistry home, string id) => (value, _) =>
    {
        home.Publish(id, value);
        return new(CommandOutcome.Done);
    };

    private static CommandHandler TakeLight(EntityRegistry home, string id) => (value, _) =>
    {
        home.Publish(id, value switch { "ON" => "100", "OFF" => "0", _ => value });
        return new(CommandOutcome.Done);
    };
}
