using System.Buffers.Binary;

namespace Agent.Rtc.Rtp;

/// <summary>
/// The parameter sets last seen in the stream. Hardware encoders and files often carry them once only; a viewer who joins later
/// needs them in front of its first IDR picture (RFC 6184 §8.4).
/// </summary>
internal sealed class H264ParameterSets
{
    /// <summary>Bytes of parameter sets that are remembered; a set that large is not one that a camera makes.</summary>
    private const int Capacity = 4096;

    private readonly byte[] _units = new byte[Capacity];

    /// <summary>Bytes held, each unit after its 16-bit length.</summary>
    public int Length { get; private set; }

    /// <summary>The units as RFC 6184 §5.7.1 puts them into a STAP-A, after its header octet.</summary>
    public ReadOnlySpan<byte> AsAggregationUnits => _units.AsSpan(0, Length);

    /// <summary>Replaces what is held if the access unit brings an SPS.</summary>
    /// <returns>True if it does.</returns>
    public bool Update(ReadOnlySpan<byte> accessUnit, ReadOnlySpan<Range> nalUnits)
    {
        var hasSps = false;
        foreach (var range in nalUnits)
        {
            var unit = accessUnit[range];
            if (unit.IsEmpty || H264NalUnitType.Get(unit) is not (H264NalUnitType.Sps or H264NalUnitType.Pps))
                continue;

            if (!hasSps && H264NalUnitType.Get(unit) == H264NalUnitType.Sps)
            {
                hasSps = true;
                Length = 0;
            }

            if (hasSps && Length + sizeof(ushort) + unit.Length <= Capacity)
            {
                BinaryPrimitives.WriteUInt16BigEndian(_units.AsSpan(Length), (ushort)unit.Length);
                unit.CopyTo(_units.AsSpan(Length + sizeof(ushort)));
                Length += sizeof(ushort) + unit.Length;
            }
        }

        return hasSps;
    }

    /// <summary>Walks the units: false after the last.</summary>
    public bool TryRead(ref int position, out ReadOnlySpan<byte> unit)
    {
        unit = default;
        if (position == Length)
            return false;

        unit = _units.AsSpan(position + sizeof(ushort), BinaryPrimitives.ReadUInt16BigEndian(_units.AsSpan(position)));
        position += sizeof(ushort) + unit.Length;
        return true;
    }
}
