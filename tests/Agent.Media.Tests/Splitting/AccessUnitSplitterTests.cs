using System.Globalization;
using Agent.Media.Splitting;

namespace Agent.Media.Tests.Splitting;

public sealed class AccessUnitSplitterTests
{
    private const int Seed = 20261122;
    private const int Maximum = 1024 * 1024;

    /// <summary>More than is looked at of the next access unit's first slice.</summary>
    private const int LookAhead = 64;

    private static readonly Dictionary<string, List<byte[]>> Streams = [];

    /// <summary>x264's options; each stream has its own combination of slices, delimiters and parameter sets.</summary>
    public static TheoryData<string> Encodings() =>
    [
        "-profile:v baseline -x264-params slices=1:keyint=10",
        "-profile:v baseline -x264-params slices=1:keyint=10:repeat-headers=1:aud=1",
        "-profile:v baseline -x264-params slices=4:keyint=10",
        "-profile:v baseline -x264-params slices=4:keyint=10:repeat-headers=1:aud=1",
        "-profile:v main -bf 2 -x264-params slices=4:keyint=12",
        "-profile:v main -bf 0 -x264-params slices=3:keyint=1",
        "-profile:v high -bf 3 -x264-params slices=1:keyint=250:b-pyramid=strict",
        "-profile:v high -bf 0 -x264-params slice-max-size=200:keyint=10:repeat-headers=1",
        "-profile:v high -bf 0 -x264-params slices=4:interlaced=1:keyint=10",
    ];

    /// <summary>The access units of a stream that x264 makes, as ffprobe's parser cuts it.</summary>
    private static List<byte[]> Packets(string encoding)
    {
        lock (Streams)
        {
            if (!Streams.TryGetValue(encoding, out var packets)) Streams.Add(encoding, packets = Encode(encoding));
            return packets;
        }
    }

    private static List<byte[]> Encode(string encoding)
    {
        var stream = FfmpegTool.Run(
            "ffmpeg",
            $"-v error -f lavfi -i testsrc=size=192x144:rate=25 -frames:v 25 -pix_fmt yuv420p -threads 1 -c:v libx264 -preset veryfast {encoding} -f h264 -").Output;
        var packets = new List<byte[]>();
        var position = 0;
        foreach (var line in FfmpegTool.Probe("-show_entries packet=size -of csv=p=0", stream).Split('\n'))
        {
            var size = int.Parse(line.TrimEnd(','), CultureInfo.InvariantCulture);
            packets.Add(stream[position..(position + size)]);
            position += size;
        }
        Assert.Equal(stream.Length, position);
        return packets;
    }

    private static byte[] Join(IEnumerable<byte[]> packets) => [.. packets.SelectMany(static packet => packet)];

    /// <summary>Feeds pieces and takes out all access units, the last by flushing.</summary>
    private static List<byte[]> Split(AccessUnitSplitter splitter, IEnumerable<ReadOnlyMemory<byte>> pieces)
    {
        var units = new List<byte[]>();
        foreach (var piece in pieces) Feed(splitter, piece.Span, units);
        if (splitter.TryFlush(out var last)) units.Add(last.ToArray());
        return units;
    }

    private static void Feed(AccessUnitSplitter splitter, ReadOnlySpan<byte> piece, List<byte[]> units)
    {
        splitter.Append(piece);
        while (splitter.TryTake(out var unit)) units.Add(unit.ToArray());
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Pieces(byte[] stream, Func<int> length)
    {
        for (var position = 0; position < stream.Length;)
        {
            var count = Math.Min(length(), stream.Length - position);
            yield return stream.AsMemory(position, count);
            position += count;
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_stream_in_pieces_of_any_length_is_cut_as_ffprobe_cuts_it(string encoding)
    {
        var packets = Packets(encoding);
        var stream = Join(packets);
        Assert.Equal(25, packets.Count);
        var random = new Random(Seed);
        foreach (var length in (Func<int>[])[() => 1, () => 7, () => random.Next(1, 50), () => random.Next(1, 5000), () => stream.Length])
        {
            var splitter = new AccessUnitSplitter(Maximum);
            Assert.Equal(packets, Split(splitter, Pieces(stream, length)));
            Assert.Equal((0, 0), (splitter.UnitsDropped, splitter.BytesDiscarded));
        }
    }

    [Theory]
    [InlineData("-profile:v baseline -x264-params slices=4:keyint=10:repeat-headers=1:aud=1")]
    [InlineData("-profile:v main -bf 2 -x264-params slices=4:keyint=12")]
    public void Two_pieces_cut_anywhere_give_the_same(string encoding)
    {
        var packets = Packets(encoding)[..12];
        var stream = Join(packets);
        for (var cut = 1; cut < stream.Length; cut++)
            Assert.True(AreEqual(packets, Split(new AccessUnitSplitter(Maximum), [stream.AsMemory(0, cut), stream.AsMemory(cut)])), $"cut at {cut}");
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void An_access_unit_is_out_as_soon_as_the_next_ones_first_slice_or_header_shows(string encoding)
    {
        var packets = Packets(encoding);
        var splitter = new AccessUnitSplitter(Maximum);
        var units = new List<byte[]>();
        for (var i = 0; i < packets.Count; i++)
        {
            Feed(splitter, packets[i].AsSpan(0, Math.Min(LookAhead, packets[i].Length)), units);
            Assert.Equal(i, units.Count);
            Feed(splitter, packets[i].AsSpan(Math.Min(LookAhead, packets[i].Length)), units);
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Flushing_after_each_picture_holds_none_back(string encoding)
    {
        var packets = Packets(encoding);
        var splitter = new AccessUnitSplitter(Maximum);
        foreach (var packet in packets)
        {
            splitter.Append(packet);
            Assert.True(splitter.TryFlush(out var unit));
            Assert.True(packet.AsSpan().SequenceEqual(unit));
            Assert.False(splitter.TryFlush(out _));
        }
        Assert.Equal((0, 0), (splitter.UnitsDropped, splitter.BytesDiscarded));
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Flushing_within_a_picture_costs_that_picture_only(string encoding)
    {
        var packets = Packets(encoding);
        const int Cut = 13;
        for (var length = 0; length <= packets[Cut].Length; length += 3)
        {
            var splitter = new AccessUnitSplitter(Maximum);
            var units = new List<byte[]>();
            foreach (var packet in packets[..Cut]) Feed(splitter, packet, units);
            Feed(splitter, packets[Cut].AsSpan(0, length), units);
            if (splitter.TryFlush(out var cut)) units.Add(cut.ToArray());
            Feed(splitter, packets[Cut].AsSpan(length), units);
            foreach (var packet in packets[(Cut + 1)..]) Feed(splitter, packet, units);
            if (splitter.TryFlush(out var last)) units.Add(last.ToArray());

            // The first part of the cut one, or none of it, and never anything that is not the beginning of a picture.
            Assert.Equal(packets.Count, units.Count);
            for (var i = 0; i < units.Count; i++)
            {
                Assert.True(i == Cut ? packets[i].AsSpan().StartsWith(units[i]) : packets[i].AsSpan().SequenceEqual(units[i]), $"unit {i}, cut at {length}");
            }
        }
    }

    [Fact]
    public void Zeros_at_the_end_of_a_flushed_picture_are_the_next_start_codes()
    {
        byte[] first = [0, 0, 0, 1, 0x65, 0x88, 0x84, 0x21];
        byte[] second = [0, 0, 0, 1, 0x41, 0x9A, 0x24];
        for (var zeros = 0; zeros <= 3; zeros++)
        {
            var splitter = new AccessUnitSplitter(Maximum);
            splitter.Append([.. first, .. second[..zeros]]);
            Assert.True(splitter.TryFlush(out var unit));
            Assert.Equal(first, unit.ToArray());
            splitter.Append(second.AsSpan(zeros));
            Assert.True(splitter.TryFlush(out unit));
            Assert.Equal(second, unit.ToArray());
            Assert.Equal(0, splitter.BytesDiscarded);
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void A_stream_that_ends_anywhere_gives_the_whole_units_before_and_at_most_a_part_of_the_last(string encoding)
    {
        var packets = Packets(encoding)[..4];
        var stream = Join(packets);
        for (var length = 0; length <= stream.Length; length++)
        {
            var units = Split(new AccessUnitSplitter(Maximum), [stream.AsMemory(0, length)]);
            Assert.True(units.Count <= packets.Count);
            for (var i = 0; i < units.Count; i++)
                Assert.True(i < units.Count - 1 ? packets[i].AsSpan().SequenceEqual(units[i]) : packets[i].AsSpan().StartsWith(units[i]), $"{length}");
        }
    }

    [Theory]
    [MemberData(nameof(Encodings))]
    public void Joining_in_the_middle_starts_at_the_next_unit(string encoding)
    {
        var packets = Packets(encoding);
        var stream = Join(packets);
        for (var skipped = 1; skipped < packets[0].Length + packets[1].Length; skipped += 7)
        {
            var splitter = new AccessUnitSplitter(Maximum);
            var units = Split(splitter, [stream.AsMemory(skipped)]);
            // What is left of the first unit may look whole; all others are.
            Assert.InRange(units.Count, packets.Count - 2, packets.Count);
            Assert.True(AreEqual(packets[2..], units[^(packets.Count - 2)..]), $"{skipped} bytes skipped");
        }
    }

    [Fact]
    public void A_picture_without_its_first_slice_is_told_from_the_one_before_and_dropped()
    {
        var packets = Packets("-profile:v baseline -x264-params slices=4:keyint=10");
        var position = 0;
        Assert.True(NalUnit.TryFindNext(packets[5], ref position, out var first));
        var splitter = new AccessUnitSplitter(Maximum);
        byte[] stream = [.. Join(packets[..5]), .. packets[5].AsSpan(first.End.Value), .. Join(packets[6..])];
        Assert.True(AreEqual([.. packets[..5], .. packets[6..]], Split(splitter, Pieces(stream, () => 100))));
        Assert.Equal((1, 0), (splitter.UnitsDropped, splitter.BytesDiscarded));
    }

    [Fact]
    public void Garbage_is_passed_over()
    {
        var random = new Random(Seed);
        var packets = Packets("-profile:v baseline -x264-params slices=4:keyint=10:repeat-headers=1:aud=1");
        var stream = Join(packets);
        var garbage = new byte[100_000];
        for (var i = 0; i < garbage.Length; i++) garbage[i] = (byte)random.Next(2, 256);
        var splitter = new AccessUnitSplitter(Maximum);
        Assert.Equal(packets, Split(splitter, Pieces([.. garbage, .. stream], () => 4096)));
        Assert.Equal((0, garbage.Length), (splitter.UnitsDropped, splitter.BytesDiscarded));
    }

    [Fact]
    public void A_unit_above_the_maximum_is_dropped_and_counted_and_the_next_is_whole()
    {
        var packets = Packets("-profile:v baseline -x264-params slices=4:keyint=10");
        var stream = Join(packets);
        var maximum = packets.Select(static packet => packet.Length).Order().ElementAt(packets.Count / 2);
        var expected = packets.Where(packet => packet.Length <= maximum).ToList();
        Assert.InRange(expected.Count, 2, packets.Count - 2);
        foreach (var length in (int[])[1, 100, 2000, stream.Length])
        {
            var splitter = new AccessUnitSplitter(maximum);
            Assert.Equal(expected, Split(splitter, Pieces(stream, () => length)));
            Assert.Equal(packets.Count - expected.Count, splitter.UnitsDropped);
        }
    }

    [Fact]
    public void A_stream_without_end_of_unit_takes_no_more_memory_than_the_maximum()
    {
        var splitter = new AccessUnitSplitter(10_000);
        splitter.Append([0, 0, 1, 0x65, 0x88]);
        var piece = new byte[4096];
        piece.AsSpan().Fill(0x55);
        Feed(10);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Feed(10_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.False(splitter.TryFlush(out _));
        Assert.Equal(1, splitter.UnitsDropped);

        void Feed(int pieces)
        {
            for (; pieces > 0; pieces--)
            {
                splitter.Append(piece);
                Assert.False(splitter.TryTake(out _));
            }
        }
    }

    [Fact]
    public void Mutated_streams_never_throw_and_never_break_the_maximum()
    {
        var random = new Random(Seed);
        foreach (var encoding in Encodings())
        {
            for (var round = 0; round < 100; round++)
            {
                var stream = Join(Packets(encoding));
                for (var changes = random.Next(1, 200); changes > 0; changes--)
                    stream[random.Next(stream.Length)] = (byte)random.Next(random.Next(2) == 0 ? 4 : 256);
                var splitter = new AccessUnitSplitter(2000);
                foreach (var unit in Split(splitter, Pieces(stream, () => random.Next(1, 3000)))) Assert.InRange(unit.Length, 4, 2000);
            }
        }
    }

    [Fact]
    public void Not_taking_what_has_come_is_a_bug_and_says_so()
    {
        var splitter = new AccessUnitSplitter(100);
        splitter.Append(new byte[1000]);
        Assert.Throws<InvalidOperationException>(() => splitter.Append([1]));
    }

    [Fact]
    public void Splitting_allocates_nothing_in_steady_state()
    {
        var stream = Join(Packets("-profile:v baseline -x264-params slices=4:keyint=10:repeat-headers=1:aud=1"));
        var splitter = new AccessUnitSplitter(Maximum);
        var units = 0;
        Play();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++) Play();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(51 * 25, units);

        void Play()
        {
            for (var position = 0; position < stream.Length; position += 1000)
            {
                splitter.Append(stream.AsSpan(position, Math.Min(1000, stream.Length - position)));
                while (splitter.TryTake(out _)) units++;
            }
            if (splitter.TryFlush(out _)) units++;
        }
    }

    private static bool AreEqual(List<byte[]> expected, List<byte[]> actual) =>
        expected.Count == actual.Count && expected.Zip(actual).All(static pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
