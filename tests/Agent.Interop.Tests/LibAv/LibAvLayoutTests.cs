using Agent.Interop.LibAv;

namespace Agent.Interop.Tests.LibAv;

/// <summary>The C compiler says where the fields are, from the installed headers.</summary>
public sealed unsafe class LibAvLayoutTests
{
    private const string Headers =
        """
        #include <libavcodec/avcodec.h>
        #include <libavcodec/bsf.h>
        #include <libavformat/avformat.h>
        #include <libavutil/log.h>
        #include <libavutil/opt.h>
        #include <libswscale/swscale.h>

        """;

    private static Dictionary<string, long> Ask(params string[] expressions) => CHeaders.Ask(Headers, expressions);

    [Fact]
    public void Every_field_used_lies_where_the_installed_headers_put_it()
    {
        var versions = Ask("LIBAVUTIL_VERSION_MAJOR", "LIBAVFORMAT_VERSION_MAJOR", "LIBAVCODEC_VERSION_MAJOR");
        Assert.Equal(versions["LIBAVFORMAT_VERSION_MAJOR"], versions["LIBAVCODEC_VERSION_MAJOR"]);
        var moved = new FieldOffsets((int)versions["LIBAVUTIL_VERSION_MAJOR"], (int)versions["LIBAVFORMAT_VERSION_MAJOR"]);
        AVFrame frame;
        AVPacket packet;
        AVFormatContext format;
        AVCodecParameters parameters;
        AVBSFContext filter;
        var declared = new Dictionary<string, long>
        {
            ["offsetof(AVFrame, data)"] = (byte*)&frame.data - (byte*)&frame,
            ["offsetof(AVFrame, linesize)"] = (byte*)frame.linesize - (byte*)&frame,
            ["offsetof(AVFrame, width)"] = (byte*)&frame.width - (byte*)&frame,
            ["offsetof(AVFrame, height)"] = (byte*)&frame.height - (byte*)&frame,
            ["offsetof(AVFrame, format)"] = (byte*)&frame.format - (byte*)&frame,
            ["offsetof(AVFrame, pict_type)"] = (byte*)&frame.pict_type - (byte*)&frame,
            ["offsetof(AVFrame, pts)"] = (byte*)&frame.pts - (byte*)&frame,
            ["offsetof(AVFrame, buf)"] = moved.AVFrame_buf,
            ["offsetof(AVFrame, colorspace)"] = moved.AVFrame_colorspace,
            ["offsetof(AVPacket, pts)"] = (byte*)&packet.pts - (byte*)&packet,
            ["offsetof(AVPacket, data)"] = (byte*)&packet.data - (byte*)&packet,
            ["offsetof(AVPacket, size)"] = (byte*)&packet.size - (byte*)&packet,
            ["offsetof(AVPacket, stream_index)"] = (byte*)&packet.stream_index - (byte*)&packet,
            ["offsetof(AVPacket, flags)"] = (byte*)&packet.flags - (byte*)&packet,
            ["offsetof(AVFormatContext, streams)"] = (byte*)&format.streams - (byte*)&format,
            ["offsetof(AVStream, time_base)"] = moved.AVStream_time_base,
            ["offsetof(AVStream, codecpar)"] = moved.AVStream_codecpar,
            ["offsetof(AVCodecParameters, codec_id)"] = (byte*)&parameters.codec_id - (byte*)&parameters,
            ["offsetof(AVBSFContext, par_in)"] = (byte*)&filter.par_in - (byte*)&filter,
            ["sizeof(AVRational)"] = sizeof(AVRational),
        };
        Assert.Equal(declared, Ask([.. declared.Keys]));
    }

    [Fact]
    public void Every_constant_has_the_value_of_the_headers()
    {
        var declared = new Dictionary<string, long>
        {
            ["AVERROR(EAGAIN)"] = Constants.AVERROR_EAGAIN,
            ["AVERROR(EINVAL)"] = Constants.AVERROR_EINVAL,
            ["AVERROR_EOF"] = Constants.AVERROR_EOF,
            ["AVERROR_ENCODER_NOT_FOUND"] = Constants.AVERROR_ENCODER_NOT_FOUND,
            ["AVMEDIA_TYPE_VIDEO"] = Constants.AVMEDIA_TYPE_VIDEO,
            ["AV_NOPTS_VALUE"] = long.MinValue,
            ["AV_PICTURE_TYPE_NONE"] = Constants.AV_PICTURE_TYPE_NONE,
            ["AV_PICTURE_TYPE_I"] = Constants.AV_PICTURE_TYPE_I,
            ["AV_LOG_FATAL"] = Constants.AV_LOG_FATAL,
            ["AV_OPT_SEARCH_CHILDREN"] = Constants.AV_OPT_SEARCH_CHILDREN,
            ["AVCOL_SPC_BT709"] = Constants.AVCOL_SPC_BT709,
            ["AVCOL_SPC_UNSPECIFIED"] = Constants.AVCOL_SPC_UNSPECIFIED,
            ["AV_PKT_FLAG_KEY"] = Constants.AV_PKT_FLAG_KEY,
            ["AV_CODEC_ID_H264"] = Constants.AV_CODEC_ID_H264,
            ["AVSEEK_FLAG_BACKWARD"] = Constants.AVSEEK_FLAG_BACKWARD,
            ["AVSEEK_FLAG_BYTE"] = Constants.AVSEEK_FLAG_BYTE,
            ["SWS_FAST_BILINEAR"] = Constants.SWS_FAST_BILINEAR,
            ["AV_PIX_FMT_YUV420P"] = (long)LibAvPixelFormat.Yuv420P,
            ["AV_PIX_FMT_YUYV422"] = (long)LibAvPixelFormat.Yuyv422,
            ["AV_PIX_FMT_NV12"] = (long)LibAvPixelFormat.Nv12,
        };
        Assert.Equal(declared, Ask([.. declared.Keys]));
    }

    [Theory]
    [InlineData(57, 59, 224, 332, 16, 208)]
    [InlineData(58, 60, 224, 332, 32, 16)]
    [InlineData(59, 61, 200, 308, 32, 16)]
    public void Fields_that_moved_follow_the_library_versions(int avutil, int avformat, int buf, int colorspace, int timeBase, int codecpar)
    {
        // 57 and 59 are checked against the headers of Debian 12 and 13 above (tests/debian13/run.sh); 58 comes from the same program with FFmpeg 6.
        var offsets = new FieldOffsets(avutil, avformat);
        Assert.Equal((buf, colorspace, timeBase, codecpar), (offsets.AVFrame_buf, offsets.AVFrame_colorspace, offsets.AVStream_time_base, offsets.AVStream_codecpar));
    }
}
