using System.Text;
using System.Text.Json;

namespace Agent.Mqtt.Tests;

/// <summary>The configuration that Home Assistant is given, and how entities are taken back.</summary>
public sealed class HomeAssistantDiscoveryTests : IDisposable
{
    private const string Topic = "homeassistant/device/camera-agent-Porch-1/config";

    private readonly FakeMqttConnection _connection = new();

    public void Dispose() => _connection.Dispose();

    private HomeAssistantDiscovery Make(HomeAssistantOptions? options = null) =>
        new(_connection, options ?? new(), new DeviceDescription("1.0", "Raspberry Pi 4", "http://porch.local:8080/"), "Porch-1", new EntityTopics("base"));

    private JsonElement Next()
    {
        Assert.True(_connection.TryNext(out var published));
        Assert.Equal((Topic, 1, true), (published!.Topic, published.Qos, published.Retain));
        return published.ParseJson();
    }

    private static string[] Components(JsonElement configuration) => [.. configuration.GetProperty("cmps").EnumerateObject().Select(c => c.Name)];

    [Fact]
    public void Every_kind_of_entity_follows_the_documented_rules()
    {
        Assert.True(Make().TryAnnounce(ExampleHome.Make().All));
        var configuration = Next();

        Assert.Empty(DiscoverySchema.FindFaults(configuration));
        Assert.Equal(ExampleHome.Make().All.Select(s => s.Entity.Id).Order(StringComparer.Ordinal), Components(configuration));
        var lamp = configuration.GetProperty("cmps").GetProperty("lamp");
        Assert.Equal(
            ("light", "camera-agent-Porch-1_lamp", "light.porch_1_lamp", "base/lamp/set", 100, "all"),
            (lamp.GetProperty("p").GetString(), lamp.GetProperty("uniq_id").GetString(), lamp.GetProperty("default_entity_id").GetString(),
             lamp.GetProperty("bri_cmd_t").GetString(), lamp.GetProperty("bri_scl").GetInt32(), lamp.GetProperty("avty_mode").GetString()));
        Assert.Equal(["base/status", "base/lamp/availability"], lamp.GetProperty("avty").EnumerateArray().Select(a => a.GetProperty("t").GetString()));
        Assert.False(configuration.GetProperty("cmps").GetProperty("led").TryGetProperty("bri_cmd_t", out _));
        Assert.False(configuration.GetProperty("cmps").GetProperty("porch_bitrate").GetProperty("en").GetBoolean());
    }

    [Fact]
    public void The_rules_catch_what_Home_Assistant_would_refuse()
    {
        var text = """
            {"dev":{"ids":[],"colour":"red"},"o":{},"extra":1,"cmps":{
             "a":{"p":"sensor","uniq_id":"1","stat_t":"x/#","ent_cat":"config"},
             "b":{"p":"select","uniq_id":"1","cmd_t":"x","options":["q"]},
             "c":{"p":"toaster"},
             "d":{"p":"event","uniq_id":"3","stat_t":"x"},
             "e":{"p":"binary_sensor"}}}
            """;
        Assert.Equal(
            ["root: unknown key extra"],
            DiscoverySchema.FindFaults(JsonDocument.Parse(text).RootElement));
        Assert.Equal(
            ["device: unknown key colour", "device: nothing identifies it", "origin: no name", "a: entity_category config", "a: a topic with wildcards",
             "b: unique_id is not unique", "c: platform \"toaster\"", "d: no event_types"],
            DiscoverySchema.FindFaults(JsonDocument.Parse(text.Replace("\"extra\":1,", "", StringComparison.Ordinal)).RootElement));
    }

    [Fact]
    public void An_entity_that_is_gone_stands_there_once_with_its_platform_alone()
    {
        var home = ExampleHome.Make();
        var discovery = Make();
        discovery.TryAnnounce(home.All);
        Next();
        home.Remove("lamp");

        Assert.True(discovery.TryAnnounce(home.All));
        var farewell = Next();
        Assert.Equal("""{"p":"light"}""", farewell.GetProperty("cmps").GetProperty("lamp").GetRawText());
        Assert.Empty(DiscoverySchema.FindFaults(farewell));
        Assert.DoesNotContain("lamp", Components(Next()));
        Assert.True(discovery.TryAnnounce(home.All));
        Assert.DoesNotContain("lamp", Components(Next()));
        Assert.False(_connection.TryNext(out _));
    }

    [Fact]
    public void What_a_former_configuration_announced_is_taken_back_and_a_changed_kind_is_announced_anew()
    {
        var retained = """{"cmps":{"old":{"p":"switch","cmd_t":"x"},"lamp":{"p":"switch"},"led":{"p":"light"},"Bad Id":{"p":"switch"},"odd":{"p":"toaster"},"none":null}}"""u8;
        Assert.True(Make().TryReconcile(retained, ExampleHome.Make().All));
        var farewell = Next().GetProperty("cmps");
        Assert.Equal("""{"p":"switch"}""", farewell.GetProperty("old").GetRawText());
        Assert.Equal("""{"p":"switch"}""", farewell.GetProperty("lamp").GetRawText());
        Assert.Equal("led", farewell.GetProperty("led").GetProperty("default_entity_id").GetString()!.Split('_')[^1]);
        var configuration = Next();
        Assert.Equal("light", configuration.GetProperty("cmps").GetProperty("lamp").GetProperty("p").GetString());
        Assert.Equal(ExampleHome.Make().All.Count, Components(configuration).Length);
    }

    [Fact]
    public void A_disabled_discovery_only_takes_a_former_one_back()
    {
        var discovery = Make(new HomeAssistantOptions { Enabled = false });
        Assert.Null(discovery.StatusTopic);
        Assert.True(discovery.TryAnnounce(ExampleHome.Make().All));
        Assert.False(_connection.TryNext(out _));
        Assert.True(discovery.TryReconcile("{}"u8, ExampleHome.Make().All));
        Assert.True(_connection.TryNext(out var published));
        Assert.Equal((Topic, "", true), (published!.Topic, published.Payload, published.Retain));
    }

    [Fact]
    public void Names_that_are_no_ids_are_made_such()
    {
        var discovery = new HomeAssistantDiscovery(
            _connection, new HomeAssistantOptions { DiscoveryPrefix = "ha", DeviceName = "Vorgarten" }, new DeviceDescription("1"), "a b/ü", new EntityTopics("base"));
        Assert.Equal(("ha/device/camera-agent-a-b--/config", "ha/status"), (discovery.ConfigTopic, discovery.StatusTopic));
        discovery.TryAnnounce(ExampleHome.Make().All);
        Assert.True(_connection.TryNext(out var published));
        Assert.Empty(DiscoverySchema.FindFaults(published!.ParseJson()));
        Assert.Equal("Vorgarten", published.ParseJson().GetProperty("dev").GetProperty("name").GetString());
    }

    [Fact]
    public void A_retained_configuration_cut_at_any_length_or_hostile_is_read_without_harm()
    {
        var whole = Encoding.UTF8.GetBytes("""{"dev":{},"cmps":{"lamp":{"p":"light","x":[1,{"y":"é"}]}}}""");
        Assert.True(HomeAssistantDiscovery.TryReadRetained(whole, out var components));
        Assert.Equal("light", components["lamp"]);
        for (var length = 0; length < whole.Length; length++) Assert.False(HomeAssistantDiscovery.TryReadRetained(whole.AsSpan(0, length), out _));
        foreach (var hostile in new[] { "null", "[]", "7", """{"cmps":[]}""", """{"cmps":null}""", """{"cmps":{"a":{"p":7}}}""", new string('[', 10_000) })
        {
            Assert.False(HomeAssistantDiscovery.TryReadRetained(Encoding.UTF8.GetBytes(hostile), out _), hostile);
        }
    }
}
