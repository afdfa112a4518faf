using System.Buffers.Binary;
using System.Security.Cryptography;
using Agent.Rtc.Srtp;
using BenchmarkDotNet.Attributes;

namespace Agent.Benchmarks;

/// <summary>Protecting a full RTP packet, beside the cipher alone.</summary>
public class SrtpBenchmarks : IDisposable
{
    private const int PacketLength = 1160;
    private const int HeaderLength = 12;
    private const int TagLength = 16;
    private const int SequenceOffset = 2; // RFC 3550 §5.1

    private readonly byte[] _packet = new byte[PacketLength + SrtpContext.MaximumOverhead];
    private readonly byte[] _nonce = new byte[12];
    private readonly SrtpContext _context;
    private readonly AesGcm _cipher;
    private ushort _sequence;

    public SrtpBenchmarks()
    {
        var key = RandomNumberGenerator.GetBytes(16);
        var salt = RandomNumberGenerator.GetBytes(12);
        _context = new SrtpContext(SrtpProfile.AeadAes128Gcm, key, salt);
        _cipher = new AesGcm(key, TagLength);
    }

    [Benchmark(Baseline = true, Description = "AES-GCM of the payload")]
    public void Cipher() => _cipher.Encrypt(
        _nonce, _packet.AsSpan(HeaderLength, PacketLength - HeaderLength), _packet.AsSpan(HeaderLength, PacketLength - HeaderLength),
        _packet.AsSpan(PacketLength, TagLength), _packet.AsSpan(0, HeaderLength));

    [Benchmark(Description = "protect an RTP packet")]
    public int Protect()
    {
        WriteHeader();
        return _context.ProtectRtp(_packet, PacketLength);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _context.Dispose();
        _cipher.Dispose();
        GC.SuppressFinalize(this);
    }

    private void WriteHeader()
    {
        _packet[0] = 0x80; // RFC 3550 §5.1: version 2
        BinaryPrimitives.WriteUInt16BigEndian(_packet.AsSpan(SequenceOffset), ++_sequence);
    }
}
