namespace Agent.Media.Tests;

public sealed class NalUnitTests
{
    private const int Seed = 20260102;

    private static readonly byte[] Stream = [9, 0, 0, 0, 1, 0x67, 1, 2, 0, 0, 3, 1, 0, 0, 1, 0x68, 5, 0, 0, 0, 0, 1, 0x65, 7, 0, 0, 1, 0, 0, 1, 0x41, 0x9A, 0, 0];

    private static List<string> Find(ReadOnlySpan<byte> stream)
    {
        var found = new List<string>();
        var position = 0;
        while (NalUnit.TryFindNext(stream, ref position, out var range)) found.Add(Convert.ToHexString(stream[range]));
        return found;
    }

    [Fact]
    public void Units_are_found_behind_both_lengths_of_start_code_without_padding_and_without_empty_ones() =>
        Assert.Equal(["67010200000301", "6805", "6507", "419A"], Find(Stream));

    [Fact]
    public void A_stream_without_start_code_has_no_units() => Assert.Empty(Find([0x67, 1, 2, 0, 0, 2, 1]));

    [Fact]
    public void A_stream_cut_anywhere_yields_the_first_units_whole_and_the_last_cut()
    {
        var whole = Find(Stream);
        for (var length = 0; length <= Stream.Length; length++)
        {
            var found = Find(Stream.AsSpan(0, length));
            Assert.True(found.Count <= whole.Count);
            for (var i = 0; i < found.Count - 1; i++) Assert.Equal(whole[i], found[i]);
            if (found.Count > 0) Assert.StartsWith(found[^1], whole[found.Count - 1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_search_agrees_with_a_byte_by_byte_one_on_random_streams()
    {
        var random = new Random(Seed);
        for (var round = 0; round < 5000; round++)
        {
            // Few values, so that start codes are frequent.
            var stream = new byte[random.Next(0, 200)];
            for (var i = 0; i < stream.Length; i++) stream[i] = (byte)random.Next(0, 4);
            Assert.Equal(FindSlowly(stream), Find(stream));
        }
    }

    private static List<string> FindSlowly(byte[] stream)
    {
        var starts = Enumerable.Range(0, Math.Max(0, stream.Length - 2)).Where(i => stream[i] == 0 && stream[i + 1] == 0 && stream[i + 2] == 1).ToList();
        return [.. starts.Select((start, i) => stream[(start + 3)..(i + 1 < starts.Count ? starts[i + 1] : stream.Length)])
            .Select(static unit => unit.Reverse().SkipWhile(static b => b == 0).Reverse().ToArray())
            .Where(static unit => unit.Length > 0).Select(Convert.ToHexString)];
    }
}
