using Agent.Interop.V4l2;
using static Agent.Interop.V4l2.Videodev2;

namespace Agent.Devices.Sources;

/// <summary>
/// The H.264 encoder inside a camera: V4L2 codec controls where the driver has them, else the camera's UVC extension unit. The encoding
/// units of UVC 1.5 have neither, since uvcvideo leads no request to them. Capture thread only.
/// </summary>
internal sealed class V4l2OwnEncoder
{
    private const int MillisecondsPerSecond = 1000;

    /// <summary>Where no keyframe can be asked for, viewers wait for the next one, so it must not be far.</summary>
    private const int ShortKeyFrameSeconds = 1;

    private readonly V4l2Device device;
    private readonly UvcH264Unit? unit;
    private readonly bool hasKeyFrameControl;
    private readonly bool hasBitrateControl;

    /// <summary>Sets bitrate and keyframe distance up, before buffers are allocated.</summary>
    /// <param name="device">Agreed on H264.</param>
    /// <param name="node">Its node.</param>
    /// <param name="format">As agreed.</param>
    /// <param name="options">Bitrate and keyframe interval.</param>
    public V4l2OwnEncoder(V4l2Device device, string node, VideoFormat format, VideoEncoderOptions options)
    {
        this.device = device;
        unit = UvcH264Unit.TryFind(device, node);
        // Viewers join at any IDR, so each must bring its SPS and PPS. Devices without this control repeat them already, or never.
        _ = TrySet(V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 1);
        hasKeyFrameControl = V4l2ControlAccess.TryQuery(device, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, out _);
        hasBitrateControl = TrySet(V4L2_CID_MPEG_VIDEO_BITRATE, options.BitrateBps);

        var makesKeyFrames = hasKeyFrameControl || unit is { CanMakeKeyFrames: true };
        var seconds = makesKeyFrames ? options.KeyFrameIntervalSeconds : ShortKeyFrameSeconds;
        var frames = (long)Math.Max(1, Math.Round(format.FramesPerSecond * seconds));
        var milliseconds = (ushort)Math.Min(ushort.MaxValue, seconds * MillisecondsPerSecond);
        var isDistanceSet = TrySet(V4L2_CID_MPEG_VIDEO_GOP_SIZE, frames)
            || TrySet(V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, frames)
            || (unit?.TryConfigure(format, options.BitrateBps, milliseconds) ?? false);
        var takesBitrate = hasBitrateControl || unit is { CanSetBitrate: true };
        Description = "own H.264, "
            + (makesKeyFrames ? "keyframes on request" : isDistanceSet ? $"a keyframe every {seconds} s" : "keyframes when it likes")
            + (takesBitrate ? ", bitrate on request" : ", its own bitrate");
        if (!makesKeyFrames && isDistanceSet)
        {
            Notes = [$"its own H.264 has no keyframes on request, so it makes one every {seconds} s; encoder 'kind' libx264 gives viewers theirs at once"];
        }
    }

    /// <summary>What it can be asked for, for the log.</summary>
    public string Description { get; }

    public IReadOnlyList<string> Notes { get; } = [];

    /// <summary>Asks for an IDR; false where that cannot be.</summary>
    public bool RequestKeyFrame() =>
        hasKeyFrameControl ? V4l2ControlAccess.Set(device, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 1) == 0 : unit?.RequestKeyFrame() ?? false;

    /// <summary>Changes the bitrate while it streams; false where that cannot be.</summary>
    public bool SetBitrate(int bitsPerSecond) =>
        hasBitrateControl ? TrySet(V4L2_CID_MPEG_VIDEO_BITRATE, bitsPerSecond) : unit?.SetBitrate(bitsPerSecond) ?? false;

    private bool TrySet(uint id, long value) =>
        V4l2ControlAccess.TryQuery(device, id, out var query)
        && V4l2ControlAccess.Set(device, id, Math.Clamp(value, query.minimum, query.maximum), query.type == V4L2_CTRL_TYPE_INTEGER64) == 0;
}
