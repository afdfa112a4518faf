namespace Agent.Interop.LibAv;

/// <summary>The libav libraries as a whole. Anything used of them loads them.</summary>
public static class LibAvLibrary
{
    /// <summary>AV_VERSION_INT packs the major version above 16 bits (libavutil/version.h).</summary>
    private const int MajorShift = 16;

    private static readonly Lazy<FieldOffsets> LoadedOffsets = new(static () =>
    {
        // libx264 and the JPEG decoder would write to standard error about every stream; what fails is reported through return codes.
        NativeMethods.av_log_set_level(Constants.AV_LOG_FATAL);
        var avutil = (int)(NativeMethods.avutil_version() >> MajorShift);
        // libavformat's major number has always been libavcodec's; asking libavcodec spares loading libavformat.
        return new FieldOffsets(avutil, (int)(NativeMethods.avcodec_version() >> MajorShift));
    });

    internal static FieldOffsets Offsets => LoadedOffsets.Value;

    /// <summary>Whether the libraries load here and have an encoder of that name.</summary>
    /// <param name="name">As in <c>ffmpeg -encoders</c>.</param>
    /// <param name="reason">Why not: what is missing, and what to install.</param>
    public static bool HasEncoder(string name, out string reason)
    {
        try
        {
            _ = Offsets;
            reason = $"this libavcodec has no encoder {name}: install one built with it (Debian and Raspberry Pi OS: apt install ffmpeg)";
            return NativeMethods.avcodec_find_encoder_by_name(name) != 0;
        }
        catch (DllNotFoundException e)
        {
            reason = e.Message;
            return false;
        }
    }
}
