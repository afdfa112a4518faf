using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Agent.Media;

/// <summary>
/// Halves both sides of pictures: each sample becomes the mean of two by two, rounded to the nearest. Planes have lines without padding where
/// they are written. A plane may be written over the one that is read, at its beginning or before it. Allocates nothing.
/// </summary>
public static class PictureHalver
{
    private const ushort ByteMask = byte.MaxValue;
    private const uint LaneMask = ushort.MaxValue;

    /// <summary>A plane of one kind of sample.</summary>
    /// <param name="source">What is halved.</param>
    /// <param name="bytesPerLine">From one of its lines to the next.</param>
    /// <param name="width">Samples in a line of what is made; the source has at least twice as many.</param>
    /// <param name="height">Lines of what is made.</param>
    /// <param name="destination">Receives width × height samples.</param>
    /// <exception cref="ArgumentException">A plane is too short.</exception>
    public static void HalvePlane(ReadOnlySpan<byte> source, int bytesPerLine, int width, int height, Span<byte> destination)
    {
        CheckLengths(source, bytesPerLine, 2 * width, 2 * height);
        for (var line = 0; line < height; line++)
            HalveLines(source.Slice(2 * line * bytesPerLine, 2 * width), source.Slice(((2 * line) + 1) * bytesPerLine, 2 * width), destination.Slice(line * width, width));
    }

    /// <summary>NV12's plane of chroma, Cb and Cr by turns, into a plane for each.</summary>
    /// <param name="source">What is halved.</param>
    /// <param name="bytesPerLine">From one of its lines to the next.</param>
    /// <param name="width">Samples in a line of what is made; the source has at least twice as many of each.</param>
    /// <param name="height">Lines of what is made.</param>
    /// <param name="cb">Receives width × height samples.</param>
    /// <param name="cr">The same.</param>
    /// <exception cref="ArgumentException">A plane is too short.</exception>
    public static void HalveInterleaved(ReadOnlySpan<byte> source, int bytesPerLine, int width, int height, Span<byte> cb, Span<byte> cr)
    {
        CheckLengths(source, bytesPerLine, 4 * width, 2 * height);
        for (var line = 0; line < height; line++)
        {
            var first = source.Slice(2 * line * bytesPerLine, 4 * width);
            var second = source.Slice(((2 * line) + 1) * bytesPerLine, 4 * width);
            HalvePairs(first, second, cb.Slice(line * width, width), cr.Slice(line * width, width));
        }
    }

    /// <summary>A YUYV picture (4:2:2, packed) into the planes of a 4:2:0 one.</summary>
    /// <param name="source">What is halved.</param>
    /// <param name="bytesPerLine">From one of its lines to the next.</param>
    /// <param name="width">Pixels of what is made, even; the source has at least twice as many.</param>
    /// <param name="height">Lines of what is made, even.</param>
    /// <param name="luma">Receives width × height samples.</param>
    /// <param name="cb">Receives a quarter of that.</param>
    /// <param name="cr">The same.</param>
    /// <exception cref="ArgumentException">A plane is too short.</exception>
    public static void HalveYuyv(ReadOnlySpan<byte> source, int bytesPerLine, int width, int height, Span<byte> luma, Span<byte> cb, Span<byte> cr)
    {
        CheckLengths(source, bytesPerLine, 4 * width, 2 * height);
        for (var line = 0; line < height; line++)
        {
            var first = source.Slice(2 * line * bytesPerLine, 4 * width);
            var second = source.Slice(((2 * line) + 1) * bytesPerLine, 4 * width);
            HalveEverySecond(first, second, luma.Slice(line * width, width));
            // Chroma has half of the columns but all of the lines: of each four the middle two make one.
            if ((line & 1) == 0)
            {
                var third = source.Slice(((2 * line) + 2) * bytesPerLine, 4 * width);
                AverageChroma(second, third, cb.Slice(line / 2 * (width / 2), width / 2), cr.Slice(line / 2 * (width / 2), width / 2));
            }
        }
    }

    private static void HalveLines(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> destination)
    {
        ref var above = ref MemoryMarshal.GetReference(first);
        ref var below = ref MemoryMarshal.GetReference(second);
        ref var to = ref MemoryMarshal.GetReference(destination);
        var vectors = destination.Length - (destination.Length % Vector128<byte>.Count);
        for (nuint i = 0; i < (nuint)vectors; i += (nuint)Vector128<byte>.Count)
        {
            var low = Means(Vector128.LoadUnsafe(ref above, 2 * i), Vector128.LoadUnsafe(ref below, 2 * i));
            var next = (2 * i) + (nuint)Vector128<byte>.Count;
            var high = Means(Vector128.LoadUnsafe(ref above, next), Vector128.LoadUnsafe(ref below, next));
            Vector128.Narrow(low, high).StoreUnsafe(ref to, i);
        }
        for (var i = vectors; i < destination.Length; i++)
            destination[i] = (byte)((first[2 * i] + first[(2 * i) + 1] + second[2 * i] + second[(2 * i) + 1] + 2) >> 2);
    }

    /// <summary>The means of eight neighbours' fours, in lanes of 16 bits.</summary>
    private static Vector128<ushort> Means(Vector128<byte> above, Vector128<byte> below)
    {
        // A pair of bytes is a lane, whichever of them comes first in it.
        var (a, b, mask) = (above.AsUInt16(), below.AsUInt16(), Vector128.Create(ByteMask));
        return ((a & mask) + (a >>> 8) + (b & mask) + (b >>> 8) + Vector128.Create((ushort)2)) >>> 2;
    }

    private static void HalvePairs(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> even, Span<byte> odd)
    {
        ref var above = ref MemoryMarshal.GetReference(first);
        ref var below = ref MemoryMarshal.GetReference(second);
        var i = 0;
        for (; i <= even.Length - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var at = (nuint)(4 * i);
            var (a0, a1) = (Vector128.LoadUnsafe(ref above, at).AsUInt16(), Vector128.LoadUnsafe(ref above, at + (nuint)Vector128<byte>.Count).AsUInt16());
            var (b0, b1) = (Vector128.LoadUnsafe(ref below, at).AsUInt16(), Vector128.LoadUnsafe(ref below, at + (nuint)Vector128<byte>.Count).AsUInt16());
            var mask = Vector128.Create(ByteMask);
            Store(PairMeans((a0 & mask) + (b0 & mask)), PairMeans((a1 & mask) + (b1 & mask)), even[i..]);
            Store(PairMeans((a0 >>> 8) + (b0 >>> 8)), PairMeans((a1 >>> 8) + (b1 >>> 8)), odd[i..]);
        }
        for (; i < even.Length; i++)
        {
            even[i] = (byte)((first[4 * i] + first[(4 * i) + 2] + second[4 * i] + second[(4 * i) + 2] + 2) >> 2);
            odd[i] = (byte)((first[(4 * i) + 1] + first[(4 * i) + 3] + second[(4 * i) + 1] + second[(4 * i) + 3] + 2) >> 2);
        }
    }

    private static void HalveEverySecond(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> destination)
    {
        ref var above = ref MemoryMarshal.GetReference(first);
        ref var below = ref MemoryMarshal.GetReference(second);
        var mask = Vector128.Create(ByteMask);
        var i = 0;
        for (; i <= destination.Length - Vector128<ushort>.Count; i += Vector128<ushort>.Count)
        {
            var at = (nuint)(4 * i);
            var next = at + (nuint)Vector128<byte>.Count;
            var low = (Vector128.LoadUnsafe(ref above, at).AsUInt16() & mask) + (Vector128.LoadUnsafe(ref below, at).AsUInt16() & mask);
            var high = (Vector128.LoadUnsafe(ref above, next).AsUInt16() & mask) + (Vector128.LoadUnsafe(ref below, next).AsUInt16() & mask);
            Store(PairMeans(low), PairMeans(high), destination[i..]);
        }
        for (; i < destination.Length; i++)
            destination[i] = (byte)((first[4 * i] + first[(4 * i) + 2] + second[4 * i] + second[(4 * i) + 2] + 2) >> 2);
    }

    /// <summary>Of lines of Y0 Cb Y1 Cr, the mean of two neighbours' chroma in both.</summary>
    private static void AverageChroma(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> cb, Span<byte> cr)
    {
        for (var i = 0; i < cb.Length; i++)
        {
            var a = first.Slice(8 * i, 8);
            var b = second.Slice(8 * i, 8);
            cb[i] = (byte)((a[1] + a[5] + b[1] + b[5] + 2) >> 2);
            cr[i] = (byte)((a[3] + a[7] + b[3] + b[7] + 2) >> 2);
        }
    }

    /// <summary>A quarter of the sum of each two neighbours, in lanes of 32 bits.</summary>
    private static Vector128<uint> PairMeans(Vector128<ushort> sums)
    {
        var lanes = sums.AsUInt32();
        return ((lanes & Vector128.Create(LaneMask)) + (lanes >>> 16) + Vector128.Create(2u)) >>> 2;
    }

    private static void Store(Vector128<uint> low, Vector128<uint> high, Span<byte> destination)
    {
        var lanes = Vector128.Narrow(low, high);
        Vector128.Narrow(lanes, lanes).GetLower().CopyTo(destination);
    }

    private static void CheckLengths(ReadOnlySpan<byte> source, int bytesPerLine, int lineLength, int lines)
    {
        if (bytesPerLine < lineLength || source.Length < ((long)(lines - 1) * bytesPerLine) + lineLength) throw new ArgumentException("plane too short", nameof(source));
    }
}
