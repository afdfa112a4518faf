using System.Net;
using System.Text.Json;
using Agent.Home;

namespace Agent.Tests.Http;

public sealed class EntityEndpointsTests
{
    private static (EntityRegistry Entities, List<string> Commands) House()
    {
        var entities = new EntityRegistry();
        var commands = new List<string>();
        CommandHandler To(string id) => (value, _) =>
        {
            commands.Add($"{id} {value}");
            entities.Publish(id, value);
            return new(CommandOutcome.Done);
        };
        entities.Register(new SwitchEntity("relay", "Relay"), To("relay"));
        entities.Register(new NumberEntity("bitrate", "Bitrate", 50, 500, 50) { Unit = "kbit/s", Category = EntityCategory.Config }, To("bitrate"));
        entities.Register(new LightEntity("lamp", "Lamp") { HasBrightness = true }, To("lamp"));
        entities.Register(new SelectEntity("mode", "Mode", ["day", "night"]), To("mode"));
        entities.Register(new ButtonEntity("press", "Press"), To("press"));
        entities.Register(new SensorEntity("warmth", "Warmth") { Unit = "°C", DeviceClass = "temperature" });
        entities.Register(new BinarySensorEntity("door", "Door"));
        entities.Register(new EventEntity("bell", "Bell", ["single", "long"]));
        entities.Register(new PictureEntity("view", "View"));
        entities.Register(new UpdateEntity("version", "Version"));
        entities.Register(new SwitchEntity("stuck", "Stuck"), (_, _) => new(CommandOutcome.Refused("the relay's line is gone")));
        return (entities, commands);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage response) => JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    [Fact]
    public async Task Every_kind_is_listed_with_what_it_has()
    {
        var (entities, _) = House();
        entities.Publish("warmth", "21.5");
        entities.SetAvailable("door", false);
        await using var server = await TestServer.StartAsync(entities: entities);
        using var response = await server.SendAsync("GET", "/api/entities");
        var all = (await JsonAsync(response)).EnumerateArray().ToDictionary(e => e.GetProperty("id").GetString()!);
        Assert.Equal(
            ["switch", "number", "light", "select", "button", "sensor", "binary_sensor", "event", "picture", "update", "switch"],
            all.Values.Select(e => e.GetProperty("kind").GetString()!));
        Assert.Equal(
            """{"id":"warmth","name":"Warmth","kind":"sensor","value":"21.5","isAvailable":true,"takesCommands":false,"deviceClass":"temperature","unit":"\u00B0C"}""",
            all["warmth"].GetRawText());
        Assert.Equal(
            """{"id":"bitrate","name":"Bitrate","kind":"number","isAvailable":true,"takesCommands":true,"category":"config","unit":"kbit/s","minimum":50,"maximum":500,"step":50}""",
            all["bitrate"].GetRawText());
        Assert.False(all["door"].GetProperty("isAvailable").GetBoolean());
        Assert.Equal(2, all["mode"].GetProperty("options").GetArrayLength());
        Assert.True(all["lamp"].GetProperty("hasBrightness").GetBoolean());
    }

    [Theory]
    [InlineData("relay", """{"value": true}""", null, "ON")]
    [InlineData("relay", """{"value": "off"}""", "application/json", "OFF")]
    [InlineData("relay", "ON\n", "text/plain; charset=utf-8", "ON")]
    [InlineData("bitrate", """{"value": 123}""", null, "100")]
    [InlineData("lamp", """{"value": 40}""", null, "40")]
    [InlineData("mode", """{"value": "NIGHT"}""", null, "night")]
    public async Task A_command_is_carried_out_and_answered_with_the_state_afterwards(string id, string body, string? type, string value)
    {
        var (entities, commands) = House();
        await using var server = await TestServer.StartAsync(entities: entities);
        using var response = await server.SendAsync("POST", $"/api/entities/{id}", body, type);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(value, (await JsonAsync(response)).GetProperty("value").GetString());
        Assert.Equal([$"{id} {value}"], commands);
    }

    [Theory]
    [InlineData("nothing", """{"value": true}""", 404, "There is no entity \"nothing\"; GET /api/entities lists what there is.")]
    [InlineData("warmth", """{"value": 3}""", 405, "warmth takes no commands.")]
    [InlineData("bitrate", """{"value": 1e9}""", 422, "bitrate takes a number from 50 to 500, not \"1e9\".")]
    [InlineData("relay", """{"value": "perhaps"}""", 422, "relay takes ON or OFF, not \"perhaps\".")]
    [InlineData("stuck", """{"value": true}""", 503, "the relay's line is gone.")]
    [InlineData("relay", """{"state": true}""", 400, "The body has no value: ")]
    [InlineData("relay", """{"value": [true]}""", 400, "The value is no text, number, true or false: ")]
    [InlineData("relay", """{"value": """, 400, "The body is no JSON: ")]
    [InlineData("relay", "", 400, "The body is no JSON: ")]
    public async Task A_command_that_cannot_be_carried_out_is_answered_with_the_reason(string id, string body, int status, string detail)
    {
        var (entities, commands) = House();
        await using var server = await TestServer.StartAsync(entities: entities);
        using var response = await server.SendAsync("POST", $"/api/entities/{id}", body);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.StartsWith(detail, (await JsonAsync(response)).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(commands);
    }

    [Fact]
    public async Task An_entity_that_is_unavailable_is_to_be_tried_again()
    {
        var (entities, _) = House();
        entities.SetAvailable("relay", false);
        await using var server = await TestServer.StartAsync(entities: entities);
        using var response = await server.SendAsync("POST", "/api/entities/relay", """{"value": true}""");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(2)), (response.StatusCode, response.Headers.RetryAfter?.Delta));
    }

    [Fact]
    public async Task A_picture_is_there_once_it_was_published()
    {
        var (entities, _) = House();
        await using var server = await TestServer.StartAsync(entities: entities);
        using (var missing = await server.SendAsync("GET", "/api/entities/view/picture")) Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        entities.PublishPicture("view", new byte[] { 0xFF, 0xD8, 0xFF });
        using var response = await server.SendAsync("GET", "/api/entities/view/picture");
        Assert.Equal("image/jpeg", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal([0xFF, 0xD8, 0xFF], await response.Content.ReadAsByteArrayAsync());
    }
}
