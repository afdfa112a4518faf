using System.Buffers.Binary;

namespace Agent.Rtc.Tests.Rtp;

/// <summary>The receiving side of RFC 6184 mode 1, which fails the test on anything that the RFC forbids.</summary>
internal static class H264Depacketizer
{
    /// <summary>The NAL units that the payloads of one access unit carry.</summary>
    public static List<byte[]> Depacketize(IEnumerable<byte[]> payloads)
    {
        var units = new List<byte[]>();
        List<byte>? fragments = null;
        foreach (var payload in payloads)
        {
            var type = payload[0] & 0x1F;
            if (type != 28)
                Assert.True(fragments is null, "A fragmented unit was not finished.");

            switch (type)
            {
                case >= 1 and <= 23:
                    units.Add(payload);
                    break;
                case 24:
                    units.AddRange(ReadStap(payload));
                    break;
                case 28:
                    AddFragment(payload, units, ref fragments);
                    break;
                default:
                    Assert.Fail($"Payload type {type} is not one of packetization-mode 1.");
                    break;
            }
        }

        Assert.True(fragments is null, "The last fragmented unit was not finished.");
        return units;
    }

    private static List<byte[]> ReadStap(byte[] payload)
    {
        var units = new List<byte[]>();
        for (var offset = 1; offset < payload.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(offset));
            units.Add(payload[(offset + 2)..(offset + 2 + length)]);
            offset += 2 + length;
        }

        Assert.NotEmpty(units);
        Assert.All(units, unit => Assert.InRange(unit[0] & 0x1F, 1, 23));
        Assert.Equal(units.Max(unit => unit[0] & 0x60), payload[0] & 0x60);
        Assert.Equal(units.Max(unit => unit[0] & 0x80), payload[0] & 0x80);
        return units;
    }

    private static void AddFragment(byte[] payload, List<byte[]> units, ref List<byte>? fragments)
    {
        bool start = (payload[1] & 0x80) != 0, end = (payload[1] & 0x40) != 0;
        Assert.False(start && end, "RFC 6184 §5.8: start and end bit must not both be set.");
        Assert.Equal(0, payload[1] & 0x20);
        Assert.Equal(start, fragments is null);
        var header = (byte)(payload[0] & 0xE0 | payload[1] & 0x1F);
        fragments ??= [header];
        Assert.Equal(fragments[0], header);
        Assert.True(payload.Length > 2, "RFC 6184 §5.8: a fragment must not be empty.");
        fragments.AddRange(payload.AsSpan(2));
        if (!end)
            return;

        units.Add([.. fragments]);
        fragments = null;
    }
}
