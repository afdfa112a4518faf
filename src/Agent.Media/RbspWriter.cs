namespace Agent.Media;

/// <summary>
/// Writes NAL units in Annex B byte stream format: bits and Exp-Golomb codes, start codes, trailing bits and emulation prevention bytes
/// (H.264 §7.3.1, §9.1, Annex B). The buffer grows as needed and is kept.
/// </summary>
internal sealed class RbspWriter
{
    private const int InitialCapacity = 256;
    private const byte EmulationPreventionByte = 3;

    /// <summary>Zero bytes after which a byte of at most <see cref="EmulationPreventionByte"/> would be taken for a start code (§7.4.1).</summary>
    private const int ZerosBeforeEmulation = 2;

    private byte[] _buffer = new byte[InitialCapacity];
    private int _length;
    private int _zeros;
    private byte _current;
    private int _bitsInCurrent;

    /// <summary>zero_byte and start_code_prefix_one_3bytes (§B.1.1).</summary>
    private static ReadOnlySpan<byte> StartCode => [0, 0, 0, 1];

    /// <summary>The NAL units that have been ended; valid until the next change.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Starts over with an empty stream.</summary>
    public void Clear() => _length = 0;

    /// <param name="header">nal_ref_idc and nal_unit_type (§7.3.1).</param>
    public void BeginNalUnit(byte header)
    {
        foreach (var value in StartCode) Append(value);
        Append(header);
        _zeros = 0;
        _current = 0;
        _bitsInCurrent = 0;
    }

    /// <summary>Writes rbsp_trailing_bits (§7.3.2.11).</summary>
    public void EndNalUnit()
    {
        Bits(1, 1);
        while (_bitsInCurrent != 0) Bits(0, 1);
    }

    /// <summary>u(n): the low bits of the value, the highest of them first.</summary>
    public void Bits(uint value, int count)
    {
        while (count > 0)
        {
            count--;
            _current = (byte)(_current << 1 | (int)(value >> count & 1));
            if (++_bitsInCurrent < 8) continue;
            AppendEscaped(_current);
            _current = 0;
            _bitsInCurrent = 0;
        }
    }

    public void Flag(bool value) => Bits(value ? 1u : 0, 1);

    /// <summary>ue(v) (§9.1) of anything but <see cref="uint.MaxValue"/>.</summary>
    public void Unsigned(uint value)
    {
        var length = 32 - System.Numerics.BitOperations.LeadingZeroCount(value + 1);
        Bits(0, length - 1);
        Bits(value + 1, length);
    }

    /// <summary>se(v) (§9.1.1).</summary>
    public void Signed(int value) => Unsigned(value > 0 ? (uint)(2 * value - 1) : (uint)(-2 * value));

    private void AppendEscaped(byte value)
    {
        if (_zeros == ZerosBeforeEmulation && value <= EmulationPreventionByte)
        {
            Append(EmulationPreventionByte);
            _zeros = 0;
        }
        Append(value);
        _zeros = value == 0 ? _zeros + 1 : 0;
    }

    private void Append(byte value)
    {
        if (_length == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        _buffer[_length++] = value;
    }
}
