using System.Buffers.Binary;
using static Agent.Rtc.Tests.Rtcp.RtcpTestPackets;

namespace Agent.Rtc.Tests.Rtcp;

/// <summary>Transport-wide feedback as receivers send it, with every form of packet status chunk.</summary>
internal static class TransportFeedbackPackets
{
    private const long ReferenceTicks = 64 * TimeSpan.TicksPerMillisecond;
    private const long DeltaTicks = 250 * TimeSpan.TicksPerMicrosecond;

    /// <summary>The whole RTCP packet.</summary>
    /// <param name="mediaSsrc">Of the video.</param>
    /// <param name="first">Number of the first packet.</param>
    /// <param name="arrivals">When it and those behind it arrived; <c>null</c> for one that did not.</param>
    /// <param name="choice">Which chunks are used where several would do; without it two-bit vectors.</param>
    public static byte[] Make(uint mediaSsrc, ushort first, IReadOnlyList<TimeSpan?> arrivals, Random? choice = null) =>
        Packet(205, 15, U32(ReceiverSsrc), U32(mediaSsrc), MakeControlInformation(first, arrivals, choice));

    public static byte[] MakeControlInformation(ushort first, IReadOnlyList<TimeSpan?> arrivals, Random? choice = null)
    {
        var reference = (arrivals.First(arrival => arrival is not null)!.Value.Ticks) / ReferenceTicks;
        var time = reference * ReferenceTicks;
        var symbols = new List<int>();
        var deltas = new List<byte>();
        foreach (var arrival in arrivals)
        {
            if (arrival is not { } at)
            {
                symbols.Add(0);
                continue;
            }

            var delta = (at.Ticks - time) / DeltaTicks;
            time += delta * DeltaTicks;
            symbols.Add(delta is >= 0 and <= byte.MaxValue ? 1 : 2);
            deltas.AddRange(delta is >= 0 and <= byte.MaxValue ? [(byte)delta] : [(byte)(checked((short)delta) >> 8), (byte)delta]);
        }

        var fci = new byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(fci, first);
        BinaryPrimitives.WriteUInt16BigEndian(fci.AsSpan(2), checked((ushort)arrivals.Count));
        BinaryPrimitives.WriteInt32BigEndian(fci.AsSpan(4), (int)(reference << 8));
        var bytes = fci.Concat(MakeChunks(symbols, choice)).Concat(deltas).ToList();
        while (bytes.Count % 4 != 0)
            bytes.Add(0);

        return [.. bytes];
    }

    private static List<byte> MakeChunks(List<int> symbols, Random? choice)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < symbols.Count;)
        {
            var run = symbols.Skip(i).TakeWhile(symbol => symbol == symbols[i]).Count();
            var form = choice?.Next(3) ?? 2;
            int chunk;
            if (form == 0)
            {
                chunk = symbols[i] << 13 | run;
                i += run;
            }
            else if (form == 1 && symbols.Skip(i).Take(14).All(symbol => symbol <= 1))
            {
                chunk = 0x8000;
                for (var j = 0; j < 14; j++)
                    chunk |= (i + j < symbols.Count ? symbols[i + j] : 0) << (13 - j);

                i += 14;
            }
            else
            {
                chunk = 0xC000;
                for (var j = 0; j < 7; j++)
                    chunk |= (i + j < symbols.Count ? symbols[i + j] : 0) << (12 - 2 * j);

                i += 7;
            }

            bytes.AddRange([(byte)(chunk >> 8), (byte)chunk]);
        }

        return bytes;
    }
}
