using System.Globalization;
using System.Text.Json;

namespace Agent.Configuration;

/// <summary>A number that need not be whole.</summary>
internal sealed class DecimalType(double minimum, double maximum) : ConfigType<double>
{
    /// <summary>Not a number stands for nothing written.</summary>
    public override bool HasWritableDefault(double value) => double.IsFinite(value);

    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out double value) =>
        node.Kind is ConfigKind.Number or ConfigKind.Text
        && double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
        && value >= minimum && value <= maximum
        || Refuse(node, path, binding, string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}"), out value);

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteString("type", "number");
        writer.WriteNumber("minimum", minimum);
        writer.WriteNumber("maximum", maximum);
    }

    public override void WriteValue(Utf8JsonWriter writer, double value) => writer.WriteNumberValue(value);
}
