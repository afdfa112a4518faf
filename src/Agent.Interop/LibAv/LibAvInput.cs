using System.Runtime.InteropServices;

namespace Agent.Interop.LibAv;

/// <summary>A file or stream that libavformat reads; only its best video stream is looked at. Used by one thread.</summary>
public sealed unsafe class LibAvInput : SafeHandle
{
    private readonly int _stream;

    /// <param name="url">Path or URL.</param>
    /// <exception cref="LibAvException">It cannot be opened, is no format that libavformat knows, or has no video.</exception>
    public LibAvInput(string url) : base(0, ownsHandle: true)
    {
        _ = LibAvLibrary.Offsets;
        LibAvException.Check(NativeMethods.avformat_open_input(out handle, url, 0, 0), nameof(NativeMethods.avformat_open_input));
        try
        {
            LibAvException.Check(NativeMethods.avformat_find_stream_info(handle, 0), nameof(NativeMethods.avformat_find_stream_info));
            _stream = LibAvException.Check(
                NativeMethods.av_find_best_stream(handle, Constants.AVMEDIA_TYPE_VIDEO, -1, -1, 0, 0), nameof(NativeMethods.av_find_best_stream));
        }
        catch (LibAvException)
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    public bool IsH264 => ((AVCodecParameters*)Parameters)->codec_id == Constants.AV_CODEC_ID_H264;

    /// <summary>Seconds that one unit of a packet's or frame's timestamp lasts.</summary>
    public double TimestampUnit
    {
        get
        {
            var timeBase = *(AVRational*)(Stream + LibAvLibrary.Offsets.AVStream_time_base);
            return (double)timeBase.num / timeBase.den;
        }
    }

    /// <summary>Frames per second as a fraction; 0/1 if libavformat cannot tell.</summary>
    public (int Numerator, int Denominator) FrameRate
    {
        get
        {
            var rate = NativeMethods.av_guess_frame_rate(handle, Stream, 0);
            return (rate.num, rate.den);
        }
    }

    internal nint Parameters => *(nint*)(Stream + LibAvLibrary.Offsets.AVStream_codecpar);

    private nint Stream => ((AVFormatContext*)handle)->streams[_stream];

    /// <summary>A decoder with the stream's parameters, still to be opened.</summary>
    public LibAvCodecContext CreateDecoder() => LibAvCodecContext.CreateDecoder(Parameters, ((AVCodecParameters*)Parameters)->codec_id);

    /// <summary>Reads the next packet of the video stream; false at the end.</summary>
    public bool TryRead(LibAvPacket packet)
    {
        while (true)
        {
            packet.Unreference();
            var result = NativeMethods.av_read_frame(handle, packet.Handle);
            if (result == Constants.AVERROR_EOF) return false;
            LibAvException.Check(result, nameof(NativeMethods.av_read_frame));
            if (packet.StreamIndex == _stream) return true;
        }
    }

    /// <summary>Goes back to the first packet.</summary>
    public void Rewind()
    {
        if (NativeMethods.av_seek_frame(handle, _stream, 0, Constants.AVSEEK_FLAG_BACKWARD) >= 0) return;
        // Elementary streams have no timestamps to seek by.
        LibAvException.Check(NativeMethods.av_seek_frame(handle, _stream, 0, Constants.AVSEEK_FLAG_BYTE), nameof(NativeMethods.av_seek_frame));
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMethods.avformat_close_input(ref handle);
        return true;
    }
}
