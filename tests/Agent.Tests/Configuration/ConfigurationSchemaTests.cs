using System.Text.Json;
using System.Text.RegularExpressions;
using Agent.Configuration;

namespace Agent.Tests.Configuration;

public sealed class ConfigurationSchemaTests
{
    private static readonly string Root = FindRoot();

    private static string FindRoot()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Join(directory, "Agent.sln")))
        {
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("The tests run outside of the repository.");
        }

        return directory;
    }

    private static IEnumerable<(string Path, JsonElement Schema)> Keys(JsonElement schema, string path)
    {
        if (schema.TryGetProperty("properties", out var properties))
        {
            foreach (var property in properties.EnumerateObject())
            {
                var keyPath = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
                yield return (keyPath, property.Value);
                foreach (var key in Keys(property.Value, keyPath))
                {
                    yield return key;
                }
            }
        }

        if (schema.TryGetProperty("patternProperties", out var patterns))
        {
            foreach (var key in Keys(patterns.EnumerateObject().Single().Value, $"{path}.NAME"))
            {
                yield return key;
            }
        }
    }

    [Fact]
    public void The_shipped_schema_is_what_the_table_says() =>
        Assert.Equal(ConfigurationSchema.Write(), File.ReadAllText(Path.Join(Root, "deploy", "camera-agent.schema.json")));

    [Fact]
    public void Every_object_refuses_other_keys_and_every_key_is_described()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Write());
        Assert.False(schema.RootElement.GetProperty("additionalProperties").GetBoolean());
        var keys = Keys(schema.RootElement, "").ToList();
        Assert.Contains("cameras.NAME.source.frameRate", keys.Select(k => k.Path));
        foreach (var (path, key) in keys)
        {
            Assert.True(key.GetProperty("description").GetString()!.Length > 5, path);
            if (key.TryGetProperty("type", out var type) && type.GetString() == "object")
            {
                // Control names are the camera's; everything else is the table's.
                var others = key.GetProperty("additionalProperties");
                Assert.Equal(path.EndsWith(".controls", StringComparison.Ordinal) ? JsonValueKind.Object : JsonValueKind.False, others.ValueKind);
            }
        }
    }

    [Fact]
    public void The_defaults_that_the_schema_names_are_taken_by_the_reader()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Write());
        var found = 0;
        foreach (var (path, key) in Keys(schema.RootElement, "").Where(k => k.Schema.TryGetProperty("default", out _)))
        {
            var json = key.GetProperty("default").GetRawText();
            foreach (var section in path.Replace("NAME", "main", StringComparison.Ordinal).Split('.').Reverse())
            {
                json = $"{{ \"{section}\": {json} }}";
            }

            ConfigurationLoader.Read(System.Text.Encoding.UTF8.GetBytes(json), path, new Dictionary<string, string>(), out var problems);
            // Sections have keys that must not be left out.
            Assert.DoesNotContain(problems, problem => problem.Path.StartsWith(path.Replace("NAME", "main", StringComparison.Ordinal), StringComparison.Ordinal));
            found++;
        }

        Assert.True(found > 15);
    }

    [Fact]
    public void The_documentation_names_every_key_with_its_default()
    {
        using var schema = JsonDocument.Parse(ConfigurationSchema.Write());
        var documentation = File.ReadAllText(Path.Join(Root, "docs", "configuration.md"));
        foreach (var (path, key) in Keys(schema.RootElement, "").Where(k => !k.Schema.TryGetProperty("properties", out _) && !k.Schema.TryGetProperty("patternProperties", out _) && k.Path != "$schema"))
        {
            var value = key.TryGetProperty("default", out var written) ? $"`{written.GetRawText()}`" : "–";
            Assert.Matches($@"(?m)^\| `{Regex.Escape(path)}` \| {Regex.Escape(value)} \| .+ \|$", documentation);
        }
    }
}
