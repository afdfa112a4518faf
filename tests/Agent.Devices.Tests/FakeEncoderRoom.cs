using System.Collections.Concurrent;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Tests;

/// <summary>Opens encoders that note what is asked of them and make one slice of nothing per frame.</summary>
internal sealed class FakeEncoderRoom
{
    public const string Profile = "42e01f";

    private int _disposed;

    public ConcurrentQueue<(int Width, int Bitrate)> Opened { get; } = [];

    public ConcurrentQueue<(bool Forced, int Bitrate)> Encoded { get; } = [];

    public int Disposed => _disposed;

    public IVideoEncoder Open(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output)
    {
        Opened.Enqueue((format.Width, options.BitrateBps));
        return new Encoder(this, options.BitrateBps, pool, output);
    }

    private sealed class Encoder(FakeEncoderRoom room, int bitrate, AccessUnitPool pool, Action<AccessUnit> output) : IVideoEncoder
    {
        private int _bitrate = bitrate;
        private bool _hasEncoded;

        public string Name => "fake";

        public string ProfileLevelId => Profile;

        public long FramesSkipped => 0;

        public long BytesCopied => 0;

        public void Encode(CapturedFrame frame, bool forceKeyFrame)
        {
            room.Encoded.Enqueue((forceKeyFrame, _bitrate));
            var unit = pool.Create(forceKeyFrame || !_hasEncoded ? [0, 0, 1, 0x65, 0x88] : [0, 0, 1, 0x41, 0x9A], frame.CapturedAt);
            _hasEncoded = true;
            output(unit);
            unit.Release();
            frame.Dispose();
        }

        public void SetBitrate(int bitsPerSecond) => _bitrate = bitsPerSecond;

        public void Dispose() => Interlocked.Increment(ref room._disposed);
    }
}
