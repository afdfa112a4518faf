using System.Globalization;

namespace Agent.Media.Tests;

public sealed class SpsReaderTests
{
    private const int Seed = 20260102;

    private static IEnumerable<string[]> Vectors =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Vectors", "sps.txt")).Where(static line => line[0] != '#').Select(static line => line.Split(' '));

    public static TheoryData<string, string, int, int> Streams()
    {
        var data = new TheoryData<string, string, int, int>();
        foreach (var f in Vectors) data.Add(f[0], f[1], int.Parse(f[2], CultureInfo.InvariantCulture), int.Parse(f[3], CultureInfo.InvariantCulture));
        return data;
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void Real_parameter_sets_read_as_ffprobe_reads_them(string hex, string profileLevelId, int width, int height)
    {
        Assert.True(SpsReader.TryRead(Convert.FromHexString(hex), out var sps));
        Assert.Equal((profileLevelId, width, height), (sps.ProfileLevelId, sps.Width, sps.Height));
    }

    [Theory]
    [InlineData("6e000b", 10, 1)]
    [InlineData("7a0020", 8, 2)]
    [InlineData("f4000b", 8, 3)]
    [InlineData("64001e", 8, 0)]
    [InlineData("42c01e", 8, 1)]
    public void Bit_depth_and_chroma_format_are_read(string profileLevelId, int bitDepth, int chromaFormat)
    {
        var vector = Vectors.First(vector => vector[1] == profileLevelId);
        Assert.True(SpsReader.TryRead(Convert.FromHexString(vector[0]), out var sps));
        Assert.Equal((bitDepth, chromaFormat), (sps.BitDepthLuma, sps.ChromaFormatIdc));
    }

    [Fact]
    public void Scaling_lists_and_the_second_kind_of_picture_order_count_are_skipped()
    {
        var bits = new BitWriter();
        bits.Bits(0x67, 8).Bits(100, 8).Bits(0, 8).Bits(40, 8).Unsigned(0);
        bits.Unsigned(1).Unsigned(0).Unsigned(0).Bits(0, 1).Bits(1, 1);
        for (var list = 0; list < 8; list++)
        {
            bits.Bits(1, 1);
            if (list % 2 == 0) bits.Signed(-8); // nextScale 0: the default list
            else for (var i = 0; i < (list < 6 ? 16 : 64); i++) bits.Signed(i % 3 - 1);
        }
        bits.Unsigned(0).Unsigned(1).Bits(0, 1).Signed(-5).Signed(7).Unsigned(3).Signed(1).Signed(-1).Signed(2);
        bits.Unsigned(1).Bits(0, 1).Unsigned(79).Unsigned(44).Bits(1, 1).Bits(1, 1).Bits(0, 1).Bits(0, 1).Bits(1, 1);
        Assert.True(SpsReader.TryRead(bits.ToNalUnit(), out var sps));
        Assert.Equal(("640028", 1280, 720), (sps.ProfileLevelId, sps.Width, sps.Height));
    }

    [Fact]
    public void A_parameter_set_cut_anywhere_is_refused_or_reads_the_same()
    {
        foreach (var vector in Vectors)
        {
            var nalUnit = Convert.FromHexString(vector[0]);
            Assert.True(SpsReader.TryRead(nalUnit, out var whole));
            var refused = 0;
            for (var length = 0; length < nalUnit.Length; length++)
            {
                // What follows the cropping (VUI) is not looked at, so that cutting there changes nothing.
                if (SpsReader.TryRead(nalUnit.AsSpan(0, length), out var cut)) Assert.Equal(whole, cut);
                else refused++;
            }
            Assert.InRange(refused, 8, nalUnit.Length);
        }
    }

    [Fact]
    public void Mutated_parameter_sets_never_throw_and_never_claim_impossible_sizes()
    {
        var random = new Random(Seed);
        foreach (var vector in Vectors)
        {
            for (var round = 0; round < 5000; round++)
            {
                var nalUnit = Convert.FromHexString(vector[0]);
                for (var changes = random.Next(1, 5); changes > 0; changes--) nalUnit[random.Next(nalUnit.Length)] ^= (byte)(1 << random.Next(8));
                if (!SpsReader.TryRead(nalUnit, out var sps)) continue;
                Assert.InRange(sps.Width, 1, 16880);
                Assert.InRange(sps.Height, 1, 16880);
            }
        }
    }

    [Fact]
    public void Other_NAL_units_and_nothing_at_all_are_refused()
    {
        Assert.False(SpsReader.TryRead([], out _));
        Assert.False(SpsReader.TryRead([0x68, 0xCE, 0x3C, 0x80], out _));
    }

    /// <summary>Writes parameter sets that no encoder at hand writes.</summary>
    private sealed class BitWriter
    {
        private readonly List<bool> _bits = [];

        public BitWriter Bits(uint value, int count)
        {
            for (var bit = count - 1; bit >= 0; bit--) _bits.Add((value >> bit & 1) != 0);
            return this;
        }

        public BitWriter Unsigned(uint value)
        {
            var length = 32 - System.Numerics.BitOperations.LeadingZeroCount(value + 1);
            return Bits(0, length - 1).Bits(value + 1, length);
        }

        public BitWriter Signed(int value) => Unsigned(value > 0 ? (uint)(2 * value - 1) : (uint)(-2 * value));

        public byte[] ToNalUnit()
        {
            Bits(1, 1);
            while (_bits.Count % 8 != 0) _bits.Add(false);
            var nalUnit = new List<byte>();
            foreach (var eight in _bits.Chunk(8))
            {
                var value = (byte)eight.Aggregate(0, static (sum, bit) => sum << 1 | (bit ? 1 : 0));
                if (value <= 3 && nalUnit.Count >= 2 && nalUnit[^1] == 0 && nalUnit[^2] == 0) nalUnit.Add(3);
                nalUnit.Add(value);
            }
            return [.. nalUnit];
        }
    }
}
