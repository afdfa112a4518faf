using System.Diagnostics;
using Agent.Devices.Sources;
using Agent.Media.Motion;

namespace Agent.Devices.Motion;

/// <summary>
/// Stands at the camera's tap and takes what <see cref="CameraMotion"/> needs of a frame, on the capture thread: raw luma is made coarse
/// straight from the driver's buffer, which is less work than a copy of it; a JPEG picture is copied, to be decoded elsewhere.
/// </summary>
/// <param name="interval">The shortest time between two pictures.</param>
/// <param name="samples">Receives them.</param>
/// <param name="wake">Called when one has been published, or when <see cref="IsCompressed"/> has changed.</param>
internal sealed class MotionSampler(TimeSpan interval, NewestHandover<LumaSample> samples, Action wake) : IRawFrameSubscriber
{
    private LumaDownscaler? _downscaler;
    private long _ticks;
    private volatile bool _isCompressed;

    public TimeSpan Interval => interval;

    /// <summary>Any thread: the camera delivers H.264, in which there are no pictures to look at.</summary>
    public bool IsCompressed => _isCompressed;

    /// <summary>Any thread: for how long the capture thread was held up since the start.</summary>
    public TimeSpan Time => Stopwatch.GetElapsedTime(0, Interlocked.Read(ref _ticks));

    public void OnFrame(CapturedFrame frame)
    {
        var started = Stopwatch.GetTimestamp();
        var format = frame.Format;
        if (format.PixelFormat == PixelFormat.H264 != _isCompressed)
        {
            _isCompressed = !_isCompressed;
            wake();
        }
        if (_isCompressed) return;
        var sample = samples.Writing;
        (sample.CapturedAt, sample.Width, sample.Height) = (frame.CapturedAt, format.Width, format.Height);
        if (format.PixelFormat == PixelFormat.Mjpg)
        {
            sample.SetJpeg(frame.GetPlane(0));
        }
        else
        {
            if (_downscaler?.IsFor(format.Width, format.Height) != true) _downscaler = new LumaDownscaler(format.Width, format.Height);
            var layout = format.PixelFormat == PixelFormat.Yuyv ? LumaLayout.EverySecond : LumaLayout.Planar;
            _downscaler.Downscale(frame.GetPlane(0), frame.GetBytesPerLine(0), layout, sample.Cells);
            sample.SetJpeg(default);
        }
        samples.Publish();
        Interlocked.Add(ref _ticks, Stopwatch.GetTimestamp() - started);
        wake();
    }
}
