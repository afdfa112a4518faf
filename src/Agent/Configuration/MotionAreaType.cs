using System.Globalization;
using System.Text.Json;
using Agent.Media.Motion;

namespace Agent.Configuration;

/// <summary>A part of the picture, in shares of its width and height: a rectangle as four numbers, or a polygon as a list of points.</summary>
internal sealed class MotionAreaType : ConfigType<MotionArea>
{
    private const int RectangleNumbers = 4, PointNumbers = 2;

    /// <summary>What rounding adds to a rectangle that ends at the picture's edge.</summary>
    private const double Rounding = 1e-9;

    private const string Expected =
        "[left, top, width, height] or a list of at least 3 points [x, y], in shares of the picture from 0 at its top left to 1";

    public override bool HasWritableDefault(MotionArea value) => false;

    public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out MotionArea value)
    {
        if (TryReadShares(node, RectangleNumbers, out var r) && r[2] > 0 && r[3] > 0 && r[0] + r[2] <= 1 + Rounding && r[1] + r[3] <= 1 + Rounding)
        {
            value = MotionArea.Rectangle(r[0], r[1], r[2], r[3]);
            return true;
        }

        var points = new List<MotionPoint>();
        foreach (var item in node.Items)
        {
            if (TryReadShares(item, PointNumbers, out var point)) points.Add(new MotionPoint(point[0], point[1]));
        }

        value = MotionArea.WholePicture;
        if (points.Count < MotionArea.FewestPoints || points.Count != node.Items.Count) return Refuse(node, path, binding, Expected, out value);
        value = new MotionArea(points);
        return true;
    }

    public override void WriteSchema(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("oneOf");
        writer.WriteStartObject();
        WriteShares(writer, RectangleNumbers);
        writer.WriteEndObject();
        writer.WriteStartObject();
        writer.WriteString("type", "array");
        writer.WriteNumber("minItems", MotionArea.FewestPoints);
        writer.WriteStartObject("items");
        WriteShares(writer, PointNumbers);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    public override void WriteValue(Utf8JsonWriter writer, MotionArea value) => throw new NotSupportedException("An area has no default to write.");

    private static bool TryReadShares(ConfigNode node, int count, out double[] shares)
    {
        shares = new double[count];
        if (node.Kind != ConfigKind.Array || node.Items.Count != count) return false;
        for (var i = 0; i < count; i++)
        {
            if (node.Items[i].Kind != ConfigKind.Number
                || !double.TryParse(node.Items[i].Text, NumberStyles.Float, CultureInfo.InvariantCulture, out shares[i]) || shares[i] is < 0 or > 1)
                return false;
        }

        return true;
    }

    private static void WriteShares(Utf8JsonWriter writer, int count)
    {
        writer.WriteString("type", "array");
        writer.WriteNumber("minItems", count);
        writer.WriteNumber("maxItems", count);
        writer.WriteStartObject("items");
        writer.WriteString("type", "number");
        writer.WriteNumber("minimum", 0);
        writer.WriteNumber("maximum", 1);
        writer.WriteEndObject();
    }
}
