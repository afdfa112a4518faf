using Agent.Rtc;
using Agent.Rtc.Rtp;
using BenchmarkDotNet.Attributes;

namespace Agent.Benchmarks;

/// <summary>Cutting one picture into RTP payloads, which is done once for all viewers, beside copying it.</summary>
public class PacketizerBenchmarks
{
    private const byte NonIdrSlice = 0x41; // RFC 6184 §1.3: nal_ref_idc 2, type 1
    private const int StartCodeLength = 4;

    private readonly H264Packetizer _packetizer = new(H264Packetizer.DefaultMaximumPayloadSize);
    private byte[] _picture = [];
    private byte[] _copy = [];
    private Range[] _nalUnits = [];
    private uint _timestamp;

    /// <summary>A picture of 1 and of 12 Mbit/s at 30 frames per second.</summary>
    [Params(4_000, 50_000)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _picture = new byte[Bytes];
        new Random(1).NextBytes(_picture.AsSpan(StartCodeLength));
        _picture[StartCodeLength - 1] = 1;
        _picture[StartCodeLength] = NonIdrSlice;
        _nalUnits = [StartCodeLength..Bytes];
        _copy = new byte[Bytes];
    }

    [Benchmark(Baseline = true, Description = "copy of the picture")]
    public void Copy() => _picture.CopyTo(_copy, 0);

    [Benchmark(Description = "cut into RTP payloads")]
    public int Packetize()
    {
        var frame = _packetizer.Packetize(_picture, _nalUnits, isKeyFrame: false, _timestamp += 3000, MonotonicTime.Zero);
        var packets = frame.PacketCount;
        frame.Release();
        return packets;
    }
}
