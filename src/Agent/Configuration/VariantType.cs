using System.Text.Json;

namespace Agent.Configuration;

/// <summary>One way to write an object: the keys that make it this one, those that may stand with them, and those that must.</summary>
/// <param name="Markers">Any of them makes it this one.</param>
/// <param name="Others">May stand beside.</param>
/// <param name="Required">Has to.</param>
/// <param name="Make">The value.</param>
internal sealed record ConfigVariant<TKeys, T>(string[] Markers, string[] Others, string? Required, Func<TKeys, T> Make)
{
    public bool Takes(string key) => Markers.Contains(key) || Others.Contains(key) || Required == key;

    public override string ToString() => string.Join("/", Markers);
}

/// <summary>An object that is one of several things, which its keys tell.</summary>
/// <param name="keys">All keys of all variants.</param>
/// <param name="variants">What it can be.</param>
internal sealed class VariantType<TKeys, T>(SectionType<TKeys> keys, params ConfigVariant<TKeys, T>[] variants) : ConfigType<T>
{
    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out T value)
    {
        value = default!;
        if (!keys.TryRead(node, path, binding, out var read)) return false;
        binding.Remember(path, node.Location);
        var found = Array.FindAll(variants, variant => variant.Markers.Any(marker => Has(node, marker)));
        if (found is not [var one])
        {
            binding.Report(path, found.Length == 0
                ? $"says nothing: write one of {string.Join(", ", variants.SelectMany(variant => variant.Markers))}."
                : $"has {string.Join(" and ", found.Select(variant => variant.Markers.First(marker => Has(node, marker))))}; make each an entry of its own.");
            return false;
        }

        var before = binding.Problems.Count;
        foreach (var member in node.Members.Where(member => !one.Takes(member.Name)))
        {
            binding.Report($"{path}.{member.Name}", $"does not go with {one}.");
        }

        if (one.Required is { } required && !Has(node, required)) binding.Report(path, $"{one} needs {required} as well.");
        value = one.Make(read);
        return binding.Problems.Count == before;
    }

    public override void WriteSchema(Utf8JsonWriter writer) => keys.WriteSchema(writer);

    public override void WriteValue(Utf8JsonWriter writer, T value) => throw new NotSupportedException("An object of variants has no default to write.");

    private static bool Has(ConfigNode node, string key) => node.Members.Exists(member => member.Name == key);
}
