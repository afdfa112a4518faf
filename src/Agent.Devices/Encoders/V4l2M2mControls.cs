using System.Globalization;
using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Encoders;

/// <summary>Sets and reads the codec controls of a V4L2 encoder, each of which may be missing. Used by one thread at a time.</summary>
internal sealed unsafe class V4l2M2mControls(V4l2Device device)
{
    private static readonly (H264Profile Profile, int Value, string ProfileBytes)[] Profiles =
    [
        (H264Profile.ConstrainedBaseline, V4L2_MPEG_VIDEO_H264_PROFILE_CONSTRAINED_BASELINE, "42e0"),
        (H264Profile.Main, V4L2_MPEG_VIDEO_H264_PROFILE_MAIN, "4d40"),
        (H264Profile.High, V4L2_MPEG_VIDEO_H264_PROFILE_HIGH, "6400"),
    ];

    /// <summary>Levels from 3.1 to 5.2 follow one another in enum v4l2_mpeg_video_h264_level; these are their level_idc.</summary>
    private static readonly byte[] LevelsFrom31 = [31, 32, 40, 41, 42, 50, 51, 52];

    private static readonly (uint Id, string Name)[] Reported =
    [
        (V4L2_CID_MPEG_VIDEO_BITRATE, "bitrate"),
        (V4L2_CID_MPEG_VIDEO_BITRATE_MODE, "bitrate mode"),
        (V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, "force key frame"),
        (V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, "repeat sequence header"),
        (V4L2_CID_MPEG_VIDEO_H264_PROFILE, "profile"),
        (V4L2_CID_MPEG_VIDEO_H264_LEVEL, "level"),
    ];

    /// <summary>Whether the driver has the control and lets it be set.</summary>
    public bool Has(uint id) => TryQuery(id, out _);

    /// <summary>The names of the important controls that the driver lacks.</summary>
    public IEnumerable<string> Missing() => Reported.Where(control => !Has(control.Id)).Select(control => control.Name);

    /// <summary>Sets a control to the nearest value that it can take; false if the driver has no such control or refuses.</summary>
    public bool TrySet(uint id, long value)
    {
        if (!TryQuery(id, out var query)) return false;
        var step = (long)Math.Max(query.step, 1);
        var nearest = Math.Clamp(value, query.minimum, query.maximum);
        var control = new v4l2_ext_control
        {
            id = id, value = (int)(query.type == V4L2_CTRL_TYPE_BUTTON ? value : query.minimum + (nearest - query.minimum) / step * step),
        };
        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return device.Ioctl(VIDIOC_S_EXT_CTRLS, ref controls) == 0;
    }

    /// <summary>The present value, or <c>null</c> if there is none.</summary>
    public int? Get(uint id)
    {
        var control = new v4l2_ext_control { id = id };
        var controls = new v4l2_ext_controls { which = V4L2_CTRL_WHICH_CUR_VAL, count = 1, controls = &control };
        return device.Ioctl(VIDIOC_G_EXT_CTRLS, ref controls) == 0 ? control.value : null;
    }

    /// <summary>Everything that stays as it is while the encoder runs, and the first bitrate.</summary>
    public void SetUp(VideoEncoderOptions options, H264Level level, double framesPerSecond)
    {
        _ = TrySet(V4L2_CID_MPEG_VIDEO_H264_PROFILE, Profiles.First(known => known.Profile == options.Profile).Value);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_H264_LEVEL, V4L2_MPEG_VIDEO_H264_LEVEL_3_1 + Array.IndexOf(LevelsFrom31, level.LevelIdc));
        // Baseline has no CABAC (H.264 §A.2.1).
        _ = TrySet(
            V4L2_CID_MPEG_VIDEO_H264_ENTROPY_MODE,
            options.Profile == H264Profile.ConstrainedBaseline ? V4L2_MPEG_VIDEO_H264_ENTROPY_MODE_CAVLC : V4L2_MPEG_VIDEO_H264_ENTROPY_MODE_CABAC);
        // They would delay every picture by at least one frame.
        _ = TrySet(V4L2_CID_MPEG_VIDEO_B_FRAMES, 0);
        // Viewers join at any IDR, so each should bring its SPS and PPS, in the same buffer.
        _ = TrySet(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 1);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_HEADER_MODE, V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_FRAME_RC_ENABLE, 1);
        // The target is what the viewers' paths carry: what a variable rate spends on one second arrives late in the next.
        _ = TrySet(V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR);
        SetBitrate(options.BitrateBps);
        // Where no IDR can be asked for, a new viewer waits for the next one: a second at most.
        var seconds = Has(V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME) ? options.KeyFrameIntervalSeconds : 1;
        var interval = Math.Max(1, (long)(seconds * framesPerSecond));
        _ = TrySet(V4L2_CID_MPEG_VIDEO_GOP_SIZE, interval);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, interval);
    }

    /// <summary>Takes effect with the next frame.</summary>
    public void SetBitrate(int bitsPerSecond)
    {
        // A peak below the average is refused, so it goes first where the rate rises and the driver corrects it where the rate falls.
        _ = TrySet(V4L2_CID_MPEG_VIDEO_BITRATE_PEAK, bitsPerSecond);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_BITRATE, bitsPerSecond);
        _ = TrySet(V4L2_CID_MPEG_VIDEO_BITRATE_PEAK, bitsPerSecond);
    }

    /// <summary>profile-level-id that the controls now say; the wish where the driver does not tell.</summary>
    public string ReadProfileLevelId(VideoEncoderOptions options, H264Level level)
    {
        var profile = Get(V4L2_CID_MPEG_VIDEO_H264_PROFILE);
        var bytes = profile == V4L2_MPEG_VIDEO_H264_PROFILE_BASELINE ? "4200"
            : Profiles.FirstOrDefault(known => known.Value == profile).ProfileBytes ?? Profiles.First(known => known.Profile == options.Profile).ProfileBytes;
        var index = Get(V4L2_CID_MPEG_VIDEO_H264_LEVEL) - V4L2_MPEG_VIDEO_H264_LEVEL_3_1;
        var levelIdc = index is >= 0 && index < LevelsFrom31.Length ? LevelsFrom31[index.Value] : level.LevelIdc;
        return bytes + levelIdc.ToString("x2", CultureInfo.InvariantCulture);
    }

    private bool TryQuery(uint id, out v4l2_query_ext_ctrl query)
    {
        query = new v4l2_query_ext_ctrl { id = id };
        return device.Ioctl(VIDIOC_QUERY_EXT_CTRL, ref query) == 0
            && (query.flags & (V4L2_CTRL_FLAG_DISABLED | V4L2_CTRL_FLAG_READ_ONLY)) == 0;
    }
}
