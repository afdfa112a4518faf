namespace Agent.Media;

/// <summary>
/// Reads bits and Exp-Golomb codes of a NAL unit's payload, leaving out emulation prevention bytes (H.264 §7.3.1, §9.1).
/// Reading past the end yields zeros and sets <see cref="Failed"/>.
/// </summary>
internal ref struct RbspReader(ReadOnlySpan<byte> payload)
{
    /// <summary>ue(v) codes have at most 32 leading zero bits (§9.1).</summary>
    private const int MaximumLeadingZeros = 31;

    private const byte EmulationPreventionByte = 3;

    private readonly ReadOnlySpan<byte> _payload = payload;
    private int _next;
    private int _zeros;
    private byte _current;
    private int _bitsLeft;

    /// <summary>True once something was read beyond the end or out of range.</summary>
    public bool Failed { get; private set; }

    public void Fail() => Failed = true;

    public uint ReadBits(int count)
    {
        uint value = 0;
        for (; count > 0; count--)
        {
            if (_bitsLeft == 0 && !NextByte()) return 0;
            value = (value << 1) | ((uint)_current >> --_bitsLeft & 1);
        }
        return value;
    }

    /// <summary>ue(v) (§9.1).</summary>
    public uint ReadUnsigned()
    {
        var zeros = 0;
        while (ReadBits(1) == 0)
        {
            if (Failed) return 0;
            if (++zeros <= MaximumLeadingZeros) continue;
            Failed = true;
            return 0;
        }
        return (uint)((1UL << zeros) - 1 + ReadBits(zeros));
    }

    /// <summary>se(v) (§9.1.1).</summary>
    public int ReadSigned()
    {
        var code = ReadUnsigned();
        return (code & 1) != 0 ? (int)(code / 2 + 1) : -(int)(code / 2);
    }

    private bool NextByte()
    {
        if (_zeros >= 2 && _next < _payload.Length && _payload[_next] == EmulationPreventionByte)
        {
            _next++;
            _zeros = 0;
        }
        if (_next >= _payload.Length)
        {
            Failed = true;
            return false;
        }
        _current = _payload[_next++];
        _zeros = _current == 0 ? _zeros + 1 : 0;
        _bitsLeft = 8;
        return true;
    }
}
