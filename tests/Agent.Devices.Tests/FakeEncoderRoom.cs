using System.Collections.Concurrent;
using Agent.Devices.Encoders;
using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Tests;

/// <summary>One rung of the ladder, whose encoders note what is asked of them and make one slice of nothing per frame.</summary>
internal sealed class FakeEncoderRoom
{
    public const string Profile = "42e01f";

    /// <summary>Constrained Baseline, level 3.1, so that an IDR of it says <see cref="Profile"/>.</summary>
    public static readonly byte[] KeyFrame = [0, 0, 0, 1, 0x67, .. Convert.FromHexString("42e01fd900a03db011000003000100000300320f162e48"), 0, 0, 1, 0x65, 0x88];

    private int _disposed;
    private int _frames;

    public VideoEncoderKind Kind { get; init; } = VideoEncoderKind.Libx264;

    public string Name { get; init; } = "fake";

    public bool LoadsLibrary { get; init; } = true;

    /// <summary>Why there is no such encoder.</summary>
    public string? Obstacle { get; set; }

    /// <summary>Why it cannot be opened.</summary>
    public string? Refusal { get; set; }

    /// <summary>Which frames, by their number from 1 over all encoders, it fails at.</summary>
    public Func<int, bool> FailsAt { get; set; } = static _ => false;

    /// <summary>Works on a thread of its own and keeps this many frames before it gives back the first.</summary>
    public int FramesKept { get; init; }

    public IReadOnlyList<PixelFormat> ReadInPlace { get; init; } = [PixelFormat.Nv12];

    /// <summary>How often it was looked for.</summary>
    public int Searches { get; private set; }

    public ConcurrentQueue<(int Width, int Bitrate)> Opened { get; } = [];

    public ConcurrentQueue<(bool Forced, int Bitrate)> Encoded { get; } = [];

    /// <summary>Frame divisors as they were told.</summary>
    public ConcurrentQueue<int> Divisors { get; } = [];

    public int Disposed => Volatile.Read(ref _disposed);

    public EncoderRung Rung => new(
        Kind, Name, LoadsLibrary,
        () =>
        {
            Searches++;
            return Obstacle;
        },
        () => ReadInPlace, Open);

    private Encoder Open(VideoEncoderOptions options, VideoFormat format, AccessUnitPool pool, Action<AccessUnit> output)
    {
        if (Refusal is { } refusal) throw new VideoEncoderException(refusal);
        Opened.Enqueue((format.Width, options.BitrateBps));
        return new Encoder(this, options.BitrateBps, pool, output);
    }

    private sealed class Encoder : IVideoEncoder
    {
        private readonly FakeEncoderRoom _room;
        private readonly AccessUnitPool _pool;
        private readonly Action<AccessUnit> _output;
        private readonly BlockingCollection<(CapturedFrame Frame, bool Force)> _queue = [];
        private readonly Queue<CapturedFrame> _kept = new();
        private readonly Thread? _thread;
        private int _bitrate;
        private bool _hasEncoded;

        public Encoder(FakeEncoderRoom room, int bitrate, AccessUnitPool pool, Action<AccessUnit> output)
        {
            (_room, _bitrate, _pool, _output) = (room, bitrate, pool, output);
            if (room.FramesKept == 0) return;
            _thread = new Thread(Work) { IsBackground = true };
            _thread.Start();
        }

        public string Name => _room.Name;

        public string ProfileLevelId => Profile;

        public long FramesSkipped => 0;

        public long BytesCopied => 0;

        public void Encode(CapturedFrame frame, bool forceKeyFrame)
        {
            if (_room.FailsAt(++_room._frames))
            {
                frame.Dispose();
                throw new VideoEncoderException($"{Name} has failed");
            }
            _room.Encoded.Enqueue((forceKeyFrame, _bitrate));
            if (_thread is not null)
            {
                _queue.Add((frame, forceKeyFrame));
                return;
            }
            Output(frame, forceKeyFrame);
            frame.Dispose();
        }

        public void SetBitrate(int bitsPerSecond) => _bitrate = bitsPerSecond;

        public void SetFrameDivisor(int divisor) => _room.Divisors.Enqueue(divisor);

        public void Dispose()
        {
            _queue.CompleteAdding();
            _thread?.Join();
            while (_kept.TryDequeue(out var frame)) frame.Dispose();
            Interlocked.Increment(ref _room._disposed);
        }

        private void Work()
        {
            foreach (var (frame, force) in _queue.GetConsumingEnumerable())
            {
                Output(frame, force);
                _kept.Enqueue(frame);
                if (_kept.Count > _room.FramesKept) _kept.Dequeue().Dispose();
            }
        }

        private void Output(CapturedFrame frame, bool forceKeyFrame)
        {
            var unit = _pool.Create(forceKeyFrame || !_hasEncoded ? KeyFrame : [0, 0, 1, 0x41, 0x9A], frame.CapturedAt);
            _hasEncoded = true;
            _output(unit);
            unit.Release();
        }
    }
}
