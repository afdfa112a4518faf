using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Agent.Rtc.Srtp;

/// <summary>
/// AES-128 in counter mode as RFC 3711 §4.1.1 has it: the block counter is the IV's last 16 bits. .NET has no counter mode, and its
/// one-shot ECB call sets up a cipher each time, so a batch of counter blocks goes through one long-lived ECB transform, which
/// allocates nothing and lets the processor's AES unit work on several blocks at once.
/// </summary>
internal sealed class AesCounterMode : IDisposable
{
    public const int BlockLength = 16;

    /// <summary>Blocks for one packet of Ethernet size.</summary>
    private const int BatchBlocks = 1536 / BlockLength;

    private readonly Aes _aes = Aes.Create();
    private readonly ICryptoTransform _encryptor;
    private readonly byte[] _counters = new byte[BatchBlocks * BlockLength];
    private readonly byte[] _keystream = new byte[BatchBlocks * BlockLength];

    public AesCounterMode(ReadOnlySpan<byte> key)
    {
        _aes.Mode = CipherMode.ECB;
        _aes.Padding = PaddingMode.None;
        _aes.SetKey(key);
        _encryptor = _aes.CreateEncryptor();
    }

    /// <summary>Encrypts or decrypts in place.</summary>
    /// <param name="iv">The first counter block; its last two bytes are taken as zero.</param>
    /// <param name="data">At most 2^16 blocks (RFC 3711 §4.1.1).</param>
    public void Apply(UInt128 iv, Span<byte> data)
    {
        var high = (ulong)(iv >> 64);
        var low = (ulong)iv & ~0xFFFFUL;
        for (uint counter = 0; data.Length > 0;)
        {
            var blocks = Math.Min(BatchBlocks, (data.Length + BlockLength - 1) / BlockLength);
            for (var offset = 0; offset < blocks * BlockLength; offset += BlockLength, counter++)
            {
                BinaryPrimitives.WriteUInt64BigEndian(_counters.AsSpan(offset), high);
                BinaryPrimitives.WriteUInt64BigEndian(_counters.AsSpan(offset + sizeof(ulong)), low | counter);
            }

            _encryptor.TransformBlock(_counters, 0, blocks * BlockLength, _keystream, 0);
            var part = data[..Math.Min(data.Length, blocks * BlockLength)];
            Xor(part, _keystream);
            data = data[part.Length..];
        }
    }

    public void Dispose()
    {
        _encryptor.Dispose();
        _aes.Dispose();
        CryptographicOperations.ZeroMemory(_keystream);
    }

    private static void Xor(Span<byte> data, ReadOnlySpan<byte> keystream)
    {
        var i = 0;
        for (; i + Vector<byte>.Count <= data.Length; i += Vector<byte>.Count)
            (new Vector<byte>(data[i..]) ^ new Vector<byte>(keystream[i..])).CopyTo(data[i..]);

        for (; i < data.Length; i++)
            data[i] ^= keystream[i];
    }
}
