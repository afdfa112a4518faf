using System.Text.Json;
using Agent.Configuration;
using Agent.Home;
using Microsoft.AspNetCore.Routing;

namespace Agent.Tests.Http;

/// <summary>The OpenAPI document against the routes that exist and against what the agent really answers.</summary>
public sealed class ApiDescriptionTests
{
    private static async Task<JsonElement> ReadAsync(TestServer server, string path = "/api/openapi.json")
    {
        using var response = await server.SendAsync("GET", path);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
    }

    [Fact]
    public async Task Every_route_is_described_and_nothing_else_is()
    {
        await using var server = await TestServer.StartAsync();
        var described = (await ReadAsync(server)).GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Where(m => m.Name != "parameters").Select(method => $"{method.Name.ToUpperInvariant()} {path.Name}"));
        var routed = server.Endpoints.OfType<RouteEndpoint>()
            .Where(route => route.RoutePattern.RawText != "/{**path}")
            .SelectMany(route => route.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {route.RoutePattern.RawText}"));
        Assert.Equal(routed.Order(), described.Order());
    }

    [Fact]
    public async Task Every_reference_leads_somewhere_and_every_operation_has_a_name_of_its_own()
    {
        await using var server = await TestServer.StartAsync();
        var document = await ReadAsync(server);
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var reference in Walk(document).Where(p => p.Name == "$ref").Select(p => p.Value.GetString()!))
        {
            Assert.True(schemas.TryGetProperty(reference.Replace("#/components/schemas/", "", StringComparison.Ordinal), out _), reference);
        }
        var operations = Walk(document).Where(p => p.Name == "operationId").Select(p => p.Value.GetString()!).ToList();
        Assert.True(operations.Count > 20);
        Assert.Equal(operations.Count, operations.Distinct().Count());
    }

    [Theory]
    [InlineData("/api/status", "Status")]
    [InlineData("/api/page", "PageSettings")]
    [InlineData("/api/ice-servers", "IceServerList")]
    [InlineData("/healthz", "Health")]
    [InlineData("/api/entities/lamp", "Entity")]
    [InlineData("/api/entities/warmth", "Entity")]
    [InlineData("/api/entities/nothing", "Problem")]
    public async Task What_the_agent_answers_is_what_is_described(string path, string schema)
    {
        var entities = new EntityRegistry();
        entities.Register(new LightEntity("lamp", "Lamp") { HasBrightness = true });
        entities.Register(new SensorEntity("warmth", "Warmth") { Unit = "°C", Category = EntityCategory.Diagnostic });
        await using var server = await TestServer.StartAsync(broker: TestServer.Broker(true), entities: entities, mqtt: new BrokerOptions());
        var schemas = (await ReadAsync(server)).GetProperty("components").GetProperty("schemas");
        Check(schemas, schemas.GetProperty(schema), await ReadAsync(server, path), path);
    }

    /// <summary>The few keywords of JSON Schema that the document uses.</summary>
    private static void Check(JsonElement schemas, JsonElement schema, JsonElement value, string at)
    {
        if (schema.TryGetProperty("$ref", out var reference))
        {
            Check(schemas, schemas.GetProperty(reference.GetString()!.Split('/')[^1]), value, at);
            return;
        }
        if (schema.TryGetProperty("enum", out var choices)) Assert.Contains(value.GetString(), choices.EnumerateArray().Select(c => c.GetString()));
        if (!schema.TryGetProperty("type", out var type)) return;
        var kind = value.ValueKind switch
        {
            JsonValueKind.Object => "object",
            JsonValueKind.Array => "array",
            JsonValueKind.String => "string",
            JsonValueKind.Number => value.TryGetInt64(out _) && type.GetString() == "integer" ? "integer" : "number",
            _ => "boolean",
        };
        Assert.True(type.GetString() == kind, $"{at} is {kind}, not {type}");
        if (kind == "array")
        {
            foreach (var item in value.EnumerateArray()) Check(schemas, schema.GetProperty("items"), item, $"{at}[]");
        }
        if (kind != "object" || !schema.TryGetProperty("properties", out var properties)) return;
        foreach (var required in schema.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(n => n.GetString()!) : [])
        {
            Assert.True(value.TryGetProperty(required, out _), $"{at} has no {required}");
        }
        foreach (var property in value.EnumerateObject())
        {
            if (properties.TryGetProperty(property.Name, out var inner)) Check(schemas, inner, property.Value, $"{at}.{property.Name}");
            else Assert.False(schema.TryGetProperty("unevaluatedProperties", out _), $"{at}.{property.Name} is not described");
        }
    }

    private static IEnumerable<JsonProperty> Walk(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Walk(p.Value).Prepend(p)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Walk),
        _ => [],
    };
}
