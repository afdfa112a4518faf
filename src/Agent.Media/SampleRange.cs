using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Agent.Media;

/// <summary>
/// Turns samples between the full range of JPEG (JFIF: 0 to 255) and the limited range of video (ITU-R BT.601: luma 16 to 235, chroma
/// 16 to 240).
/// </summary>
public static class SampleRange
{
    /// <summary>219/255 and 224/255 in units of 1/256, with roundings under which 0, 255 and chroma's neutral 128 come out exactly.</summary>
    private const ushort LumaFactor = 220, LumaRounding = 128, ChromaFactor = 225, ChromaRounding = 15;

    /// <summary>The lowest limited-range value.</summary>
    private const ushort Foot = 16;

    private static readonly byte[] FullLuma = Table(static value => (value - 16) * 255.0 / 219.0);
    private static readonly byte[] FullChroma = Table(static value => 128 + ((value - 128) * 255.0 / 224.0));

    /// <summary>Full-range luma to limited range, in place.</summary>
    public static void LimitLuma(Span<byte> samples) => Limit(samples, LumaFactor, LumaRounding);

    /// <summary>Full-range chroma to limited range, in place.</summary>
    public static void LimitChroma(Span<byte> samples) => Limit(samples, ChromaFactor, ChromaRounding);

    /// <summary>Limited-range luma to full range.</summary>
    public static void ExpandLuma(ReadOnlySpan<byte> source, Span<byte> destination) => Map(FullLuma, source, destination);

    /// <summary>Limited-range chroma to full range.</summary>
    public static void ExpandChroma(ReadOnlySpan<byte> source, Span<byte> destination) => Map(FullChroma, source, destination);

    /// <summary>The mean of two lines of samples, rounded up at halves; the destination may be one of them.</summary>
    public static void Average(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> destination)
    {
        var i = 0;
        for (; i <= destination.Length - Vector128<byte>.Count; i += Vector128<byte>.Count)
        {
            var (a0, a1) = Vector128.Widen(Vector128.Create(first.Slice(i, Vector128<byte>.Count)));
            var (b0, b1) = Vector128.Widen(Vector128.Create(second.Slice(i, Vector128<byte>.Count)));
            var one = Vector128<ushort>.One;
            Vector128.Narrow((a0 + b0 + one) >>> 1, (a1 + b1 + one) >>> 1).CopyTo(destination[i..]);
        }
        for (; i < destination.Length; i++) destination[i] = (byte)((first[i] + second[i] + 1) >> 1);
    }

    private static void Limit(Span<byte> samples, ushort factor, ushort rounding)
    {
        var vectors = MemoryMarshal.Cast<byte, Vector128<byte>>(samples);
        var (factors, roundings, foot) = (Vector128.Create(factor), Vector128.Create(rounding), Vector128.Create(Foot));
        for (var i = 0; i < vectors.Length; i++)
        {
            var (low, high) = Vector128.Widen(vectors[i]);
            vectors[i] = Vector128.Narrow((((low * factors) + roundings) >>> 8) + foot, (((high * factors) + roundings) >>> 8) + foot);
        }
        for (var i = vectors.Length * Vector128<byte>.Count; i < samples.Length; i++)
            samples[i] = (byte)((((samples[i] * factor) + rounding) >> 8) + Foot);
    }

    private static void Map(byte[] table, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        for (var i = 0; i < source.Length; i++) destination[i] = table[source[i]];
    }

    private static byte[] Table(Func<int, double> value) =>
        [.. Enumerable.Range(0, 256).Select(i => (byte)Math.Clamp(Math.Round(value(i)), byte.MinValue, byte.MaxValue))];
}
