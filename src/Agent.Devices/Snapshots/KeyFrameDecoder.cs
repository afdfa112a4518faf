using Agent.Interop.LibAv;
using Agent.Interop.TurboJpeg;

namespace Agent.Devices.Snapshots;

/// <summary>Makes a JPEG picture of an IDR access unit with libavcodec, for cameras that deliver H.264 only.</summary>
internal static unsafe class KeyFrameDecoder
{
    /// <exception cref="InvalidOperationException">It cannot be decoded, or is not 4:2:0.</exception>
    /// <exception cref="DllNotFoundException">libavcodec or libturbojpeg is not installed.</exception>
    public static byte[] ToJpeg(ReadOnlySpan<byte> accessUnit, int quality)
    {
        using var decoder = LibAvCodecContext.CreateDecoder("h264");
        using var packet = new LibAvPacket();
        using var frame = new LibAvFrame();
        decoder.SetOption("threads", 1);
        decoder.Open();
        bool decoded;
        fixed (byte* data = accessUnit)
        {
            packet.Lend(data, accessUnit.Length);
            decoded = decoder.TrySend(packet);
            packet.Lend(null, 0);
        }
        decoder.SendEnd();
        if (!decoded || !decoder.TryReceive(frame)) throw new InvalidOperationException("the camera's H.264 key frame cannot be decoded");
        if (frame.Format != LibAvPixelFormat.Yuv420P) throw new InvalidOperationException($"the camera's H.264 is no 8-bit 4:2:0 (AVPixelFormat {(int)frame.Format})");
        var (width, height, chromaWidth) = (frame.Width, frame.Height, (frame.Width + 1) / 2);
        using var compressor = new JpegCompressor();
        return PictureCopy.Compress(
            compressor, (Plane(0, width, height), Plane(1, chromaWidth, (height + 1) / 2), Plane(2, chromaWidth, (height + 1) / 2)),
            chromaWidth, width, height, quality);

        byte[] Plane(int plane, int planeWidth, int lines)
        {
            var bytes = frame.GetPlane(plane, lines);
            var stride = frame.GetBytesPerLine(plane);
            var copy = new byte[planeWidth * lines];
            for (var line = 0; line < lines; line++) bytes.Slice(line * stride, planeWidth).CopyTo(copy.AsSpan(line * planeWidth));
            return copy;
        }
    }
}
