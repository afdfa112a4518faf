using Agent.Devices.Sources;
using Agent.Interop.LibAv;
using Agent.Media;

namespace Agent.Devices.Snapshots;

/// <summary>A picture, or why there is none.</summary>
/// <param name="Jpeg">The JPEG file, or <c>null</c>.</param>
/// <param name="Problem">What kept it from being taken, and the mend where there is one.</param>
public sealed record Snapshot(byte[]? Jpeg, string? Problem);

/// <summary>
/// Takes single pictures of one camera while it runs. Thread-safe; those who ask at the same time share one picture, so that asking often
/// costs no more than asking once. A camera that was opened just now is given time to find its exposure.
/// </summary>
public sealed class SnapshotTaker
{
    /// <summary>Settling and a slow camera's frames fit in; a keyframe every ten seconds, where none can be asked for, does not.</summary>
    internal static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>Artefacts are not seen, and 720p takes about 150 KB.</summary>
    private const int Quality = 88;

    private readonly CameraPipeline _camera;
    private readonly Lock _lock = new();
    private Task<Snapshot>? _running;

    public SnapshotTaker(CameraPipeline camera) => _camera = camera;

    /// <summary>The next picture.</summary>
    public Task<Snapshot> TakeAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_running is null or { IsCompleted: true }) _running = Task.Run(CaptureAsync, CancellationToken.None);
            return _running.WaitAsync(cancellation);
        }
    }

    private Snapshot Private => new(null, $"Camera \"{_camera.Options.Name}\" is off: privacy is on. Switch it off to take pictures.");

    private async Task<Snapshot> CaptureAsync()
    {
        if (_camera.WantsPrivacy) return Private;
        if (!_camera.Hub.IsProducing) return new Snapshot(null, $"Camera \"{_camera.Options.Name}\" produces nothing: {_camera.GetStatus().Error ?? "no frame has come yet."}");
        try
        {
            var picture = await WaitForPictureAsync();
            var jpeg = picture is null ? await TakeKeyFrameAsync() : picture.ToJpeg(Quality);
            // Of before, or of the notice.
            return _camera.WantsPrivacy ? Private : new Snapshot(jpeg, null);
        }
        catch (TimeoutException)
        {
            return new Snapshot(null, $"Camera \"{_camera.Options.Name}\" has given no picture for {Timeout.TotalSeconds:0} s.");
        }
        catch (Exception e) when (e is InvalidOperationException or DllNotFoundException or LibAvException)
        {
            return new Snapshot(null, $"Camera \"{_camera.Options.Name}\": {e.Message}.");
        }
    }

    /// <summary>The next frame whose exposure has settled; <c>null</c> if the camera delivers H.264.</summary>
    private async Task<PictureCopy?> WaitForPictureAsync()
    {
        var waiter = new FrameWaiter(_camera);
        _camera.Tap.Subscribe(waiter);
        try
        {
            return await waiter.Picture.WaitAsync(Timeout);
        }
        finally
        {
            _camera.Tap.Unsubscribe(waiter);
        }
    }

    private async Task<byte[]> TakeKeyFrameAsync()
    {
        var waiter = new KeyFrameWaiter();
        _camera.Hub.Subscribe(waiter);
        try
        {
            return KeyFrameDecoder.ToJpeg(await waiter.KeyFrame.WaitAsync(Timeout), Quality);
        }
        finally
        {
            _camera.Hub.Unsubscribe(waiter);
        }
    }

    private sealed class FrameWaiter(CameraPipeline camera) : IRawFrameSubscriber
    {
        private readonly TaskCompletionSource<PictureCopy?> _picture = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ExposureSettle _settle = new();

        public Task<PictureCopy?> Picture => _picture.Task;

        public TimeSpan Interval => TimeSpan.Zero;

        public void OnFrame(CapturedFrame frame)
        {
            if (_picture.Task.IsCompleted) return;
            var age = frame.CapturedAt - (camera.DeliveringSince ?? frame.CapturedAt);
            if (!_settle.IsSettled(age, age < ExposureSettle.Limit ? PictureCopy.MeanLuma(frame) : null)) return;
            _picture.TrySetResult(frame.Format.PixelFormat == PixelFormat.H264 ? null : PictureCopy.Of(frame));
        }
    }

    private sealed class KeyFrameWaiter : IAccessUnitSubscriber
    {
        private readonly TaskCompletionSource<byte[]> _keyFrame = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<byte[]> KeyFrame => _keyFrame.Task;

        public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit)
        {
            if (accessUnit.IsKeyFrame && !_keyFrame.Task.IsCompleted) _keyFrame.TrySetResult(accessUnit.Data.ToArray());
        }
    }
}
