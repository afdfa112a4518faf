using Agent.Rtc.Rtp;

namespace Agent.Rtc.Tests.Rtp;

/// <summary>Made-up access units: real NAL unit headers, random bodies.</summary>
internal static class H264TestStream
{
    public const byte Sps = 0x67;
    public const byte Pps = 0x68;
    public const byte Sei = 0x06;
    public const byte Idr = 0x65;
    public const byte Slice = 0x41;
    public const byte Disposable = 0x01;
    public const byte AccessUnitDelimiter = 0x09;
    public const byte Filler = 0x0C;

    public static byte[] MakeUnit(byte header, int length, int seed = 0)
    {
        var unit = new byte[length];
        new Random(seed * 1_000_003 + length).NextBytes(unit);
        unit[0] = header;
        return unit;
    }

    /// <summary>An IDR access unit with parameter sets and two slices, or one of a single slice.</summary>
    public static byte[][] MakeAccessUnit(int number, bool isKeyFrame, int size) => isKeyFrame
        ? [MakeUnit(Sps, 24), MakeUnit(Pps, 6), MakeUnit(Idr, size / 2, number), MakeUnit(Idr, size / 2, number + 1)]
        : [MakeUnit(Slice, size, number)];

    public static PacketizedFrame Packetize(
        this H264Packetizer packetizer, byte[][] units, bool isKeyFrame = false, uint timestamp = 0, MonotonicTime capturedAt = default)
    {
        var (bytes, ranges) = ToAnnexB(units);
        return packetizer.Packetize(bytes, ranges, isKeyFrame, timestamp, capturedAt);
    }

    public static (byte[] Bytes, Range[] Ranges) ToAnnexB(byte[][] units)
    {
        var bytes = new List<byte>();
        var ranges = new List<Range>();
        foreach (var unit in units)
        {
            bytes.AddRange([0, 0, 0, 1]);
            ranges.Add(bytes.Count..(bytes.Count + unit.Length));
            bytes.AddRange(unit);
        }

        return ([.. bytes], [.. ranges]);
    }

    public static List<byte[]> Payloads(PacketizedFrame frame) =>
        [.. Enumerable.Range(0, frame.PacketCount).Select(i => frame.GetPayload(i).ToArray())];

    /// <summary>Compares units byte for byte, without the cost of a general comparison.</summary>
    public static void AssertSame(IReadOnlyList<byte[]> expected, IReadOnlyList<byte[]> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"NAL unit {i} differs.");
    }
}
