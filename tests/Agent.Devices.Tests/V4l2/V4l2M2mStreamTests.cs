using Agent.Devices.Encoders;

namespace Agent.Devices.Tests.V4l2;

/// <summary>Access units of what drivers write: parameter sets in each IDR, in the first one only, or in a buffer of their own.</summary>
public sealed class V4l2M2mStreamTests
{
    // x264's for 320x240, Constrained Baseline, level 3.1, and its PPS.
    private static readonly byte[] Sps = [0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0xda, 0x05, 0x07, 0xe8, 0x40, 0, 0, 3, 0, 0x40, 0, 0, 0x0f, 0x23, 0xc6, 0x0c, 0xa8];
    private static readonly byte[] Pps = [0, 0, 0, 1, 0x68, 0xce, 0x0f, 0xc8];
    private static readonly byte[] Idr = [0, 0, 0, 1, 0x65, 0x88, 0x84];
    private static readonly byte[] Picture = [0, 0, 0, 1, 0x41, 0x9a, 0x24];

    [Fact]
    public void Complete_buffers_go_as_they_are_with_their_profile_marked()
    {
        var stream = new V4l2M2mStream(marksConstrainedBaseline: true);
        byte[] coded = [.. Sps, .. Pps, .. Idr];

        Assert.True(stream.TryComplete(coded, out var accessUnit));

        byte[] expected = [.. Sps, .. Pps, .. Idr];
        expected[6] = 0xe0;
        Assert.Equal(expected, accessUnit.ToArray());
        Assert.Equal("42e01f", stream.ProfileLevelId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Later_IDRs_get_the_parameter_sets_of_the_first(bool areSeparate)
    {
        var stream = new V4l2M2mStream(marksConstrainedBaseline: false);
        if (areSeparate)
        {
            Assert.False(stream.TryComplete([.. Sps, .. Pps], out _));
            Assert.Equal("42c01f", stream.ProfileLevelId);
        }
        else
        {
            Assert.True(stream.TryComplete([.. Sps, .. Pps, .. Idr], out _));
        }

        Assert.True(stream.TryComplete([.. Picture], out var picture));
        Assert.Equal(Picture, picture.ToArray());
        Assert.True(stream.TryComplete([.. Idr], out var idr));
        Assert.Equal((byte[])[.. Sps, .. Pps, .. Idr], idr.ToArray());
    }

    [Fact]
    public void Nothing_that_an_encoder_may_write_is_a_crash()
    {
        byte[] whole = [.. Sps, .. Pps, .. Idr, .. Picture];
        for (var length = 0; length <= whole.Length; length++)
        {
            var stream = new V4l2M2mStream(marksConstrainedBaseline: true);
            byte[] cut = [.. whole.AsSpan(0, length)];

            var isPicture = stream.TryComplete(cut, out _);

            // From the IDR's header byte on.
            Assert.Equal(length > Sps.Length + Pps.Length + 4, isPicture);
        }
    }

    [Fact]
    public void Completing_does_not_allocate()
    {
        var stream = new V4l2M2mStream(marksConstrainedBaseline: true);
        byte[] first = [.. Sps, .. Pps, .. Idr];
        stream.TryComplete(first, out _);
        stream.TryComplete(Idr, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            stream.TryComplete(first, out _);
            stream.TryComplete(Idr, out _);
            stream.TryComplete(Picture, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
