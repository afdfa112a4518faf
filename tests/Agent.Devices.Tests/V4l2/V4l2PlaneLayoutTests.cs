using Agent.Devices.Sources;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Tests.V4l2;

public sealed class V4l2PlaneLayoutTests
{
    [Theory]
    [InlineData(V4L2_PIX_FMT_YUYV, 704, "0+0:67584/704")]
    [InlineData(V4L2_PIX_FMT_NV12, 384, "0+0:36864/384 0+36864:18432/384")]
    [InlineData(V4L2_PIX_FMT_YUV420, 384, "0+0:36864/384 0+36864:9216/192 0+46080:9216/192")]
    [InlineData(V4L2_PIX_FMT_MJPEG, 0, "0+0:0/0")]
    [InlineData(V4L2_PIX_FMT_H264, 0, "0+0:0/0")]
    public void Planes_in_one_memory_follow_one_another(uint fourCc, uint bytesPerLine, string expected)
    {
        var single = default(v4l2_format);
        single.fmt.pix = new v4l2_pix_format { width = 320, height = 96, bytesperline = bytesPerLine };
        var planar = default(v4l2_format);
        planar.fmt.pix_mp = new v4l2_pix_format_mplane { width = 320, height = 96 };
        planar.fmt.pix_mp.plane_fmt[0].bytesperline = bytesPerLine;

        Assert.Equal(expected, Describe(fourCc, single, multiplanar: false));
        Assert.Equal(expected, Describe(fourCc, planar, multiplanar: true));
    }

    [Theory]
    [InlineData(V4L2_PIX_FMT_NV12M, "0+0:36864/384 1+0:17280/360")]
    [InlineData(V4L2_PIX_FMT_YUV420M, "0+0:36864/384 1+0:17280/360 2+0:9216/192")]
    public void Planes_in_memories_of_their_own_have_lines_of_their_own(uint fourCc, string expected)
    {
        var planar = default(v4l2_format);
        planar.fmt.pix_mp = new v4l2_pix_format_mplane { width = 320, height = 96 };
        planar.fmt.pix_mp.plane_fmt[0].bytesperline = 384;
        planar.fmt.pix_mp.plane_fmt[1].bytesperline = 360;
        planar.fmt.pix_mp.plane_fmt[2].bytesperline = 192;

        Assert.Equal(expected, Describe(fourCc, planar, multiplanar: true));
    }

    [Fact]
    public void Lines_without_a_length_have_no_padding_and_odd_heights_round_chroma_up()
    {
        var single = default(v4l2_format);
        single.fmt.pix = new v4l2_pix_format { width = 320, height = 95 };

        Assert.Equal("0+0:30400/320 0+30400:15360/320", Describe(V4L2_PIX_FMT_NV12, single, multiplanar: false));
        Assert.Equal("0+0:60800/640", Describe(V4L2_PIX_FMT_YUYV, single, multiplanar: false));
    }

    private static string Describe(uint fourCc, in v4l2_format format, bool multiplanar) => string.Join(
        ' ',
        V4l2PlaneLayout.Of(V4l2PixelFormat.Supported.Single(supported => supported.FourCc == fourCc), format, multiplanar)
            .Select(plane => $"{plane.MemoryPlane}+{plane.Offset}:{plane.Length}/{plane.BytesPerLine}"));
}
