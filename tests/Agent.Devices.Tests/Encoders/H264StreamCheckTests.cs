using Agent.Media;

namespace Agent.Devices.Tests.Encoders;

/// <summary>That the check finds what it is there to find.</summary>
public sealed class H264StreamCheckTests : IDisposable
{
    private const string Baseline = "-profile:v baseline -level 3.1";

    private static readonly NegotiatedStream Negotiated = new("42c01f", 320, 240);

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(Baseline)]
    [InlineData("-profile:v main -level 3.1 -bf 2", "ffprobe's profile: Main instead of Constrained Baseline", "ffprobe's has_b_frames: 2 instead of 0",
        "ffprobe decodes B pictures", "picture 2: a B slice", "the SPS says 4d401f instead of 42c01f",
        "the SPS allows reordering: max_num_reorder_frames 2, pic_order_cnt_type 0")]
    [InlineData("-profile:v baseline -level 4", "ffprobe's level: 40 instead of 31", "the SPS says 42c028 instead of 42c01f")]
    [InlineData(Baseline + " -s 640x480", "ffprobe's size: 640x480 instead of 320x240")]
    public void A_stream_with_faults_is_named_with_each_and_one_without_is_not(string encoder, params string[] expected)
    {
        var faults = Check(Encode(encoder));
        if (expected.Length == 0) Assert.Empty(faults);
        Assert.Superset(expected.ToHashSet(), faults.ToHashSet());
    }

    [Fact]
    public void Missing_late_and_different_parameter_sets_are_named()
    {
        var whole = NalUnits(Encode(Baseline));
        var second = whole.FindLastIndex(static nalUnit => NalUnit.TypeOf(nalUnit[0]) == NalUnitType.SequenceParameterSet);
        var position = whole.FindIndex(second, static nalUnit => NalUnit.TypeOf(nalUnit[0]) == NalUnitType.IdrSlice) - second;
        Assert.Equal(2, position);

        AssertFault("picture 5: NAL unit types 8 5", [.. whole[..second], .. whole[(second + 1)..]]);
        AssertFault("picture 5: NAL unit types 8 7 5", [.. whole[..second], whole[second + 1], whole[second], .. whole[(second + 2)..]]);
        AssertFault("picture 6: uses parameter sets that did not come with the last IDR picture", [.. whole[..second], .. whole[(second + 2)..]]);
        AssertFault("picture 5: NAL unit types 5", [.. whole[..second], .. whole[(second + 2)..]]);
        AssertFault("the stream does not begin with an IDR picture", whole.FindAll(static nalUnit => NalUnit.TypeOf(nalUnit[0]) != NalUnitType.IdrSlice));
        byte[] higher = [.. whole[second]];
        higher[3] = 40;
        AssertFault("an SPS changes from ", [.. whole[..second], higher, .. whole[(second + 1)..]]);
    }

    private void AssertFault(string start, List<byte[]> nalUnits) => Assert.Contains(
        Check([.. nalUnits.SelectMany(static nalUnit => (byte[])[0, 0, 0, 1, .. nalUnit])]), fault => fault.StartsWith(start, StringComparison.Ordinal));

    private IReadOnlyList<string> Check(byte[] stream)
    {
        File.WriteAllBytes(_path, stream);
        return new H264StreamCheck(_path).FindFaults(Negotiated);
    }

    /// <summary>Ten pictures of which the first and the sixth are IDRs.</summary>
    private static byte[] Encode(string encoder) => FfmpegTool.Run(
        "ffmpeg", $"-f lavfi -i testsrc2=size=320x240:rate=30 -frames:v 10 -pix_fmt yuv420p -c:v libx264 -g 5 -sc_threshold 0 {encoder} -f h264 -");

    private static List<byte[]> NalUnits(byte[] stream)
    {
        var found = new List<byte[]>();
        var position = 0;
        while (NalUnit.TryFindNext(stream, ref position, out var range)) found.Add(stream[range]);
        return found;
    }
}
