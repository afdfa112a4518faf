using Agent.Media;

namespace Agent.Devices.Sources;

/// <summary>
/// Keeps the last SPS and PPS of a stream and puts them before IDR pictures that come without: a viewer that joins there has no other way
/// to learn them.
/// </summary>
internal sealed class ParameterSetKeeper
{
    private static ReadOnlySpan<byte> StartCode => [0, 0, 0, 1];

    private byte[] _sps = [];
    private byte[] _pps = [];
    private byte[] _composed = [];

    /// <summary>False if the access unit is complete as it is; else a copy with parameter sets, valid until the next call.</summary>
    public bool TryComplete(ReadOnlySpan<byte> bytes, out ReadOnlyMemory<byte> completed)
    {
        completed = default;
        bool hasSps = false, hasPps = false, isKeyFrame = false;
        int position = 0, afterDelimiter = 0;
        while (NalUnit.TryFindNext(bytes, ref position, out var range))
        {
            switch (NalUnit.TypeOf(bytes[range][0]))
            {
                case NalUnitType.SequenceParameterSet:
                    hasSps = true;
                    Keep(ref _sps, bytes[range]);
                    break;
                case NalUnitType.PictureParameterSet:
                    hasPps = true;
                    Keep(ref _pps, bytes[range]);
                    break;
                case NalUnitType.IdrSlice:
                    isKeyFrame = true;
                    break;
                case NalUnitType.AccessUnitDelimiter:
                    // It stays in front (H.264 §7.4.1.2.3).
                    afterDelimiter = position;
                    break;
            }
        }
        if (!isKeyFrame || (hasSps && hasPps) || _sps.Length == 0 || _pps.Length == 0) return false;

        var length = bytes.Length + 2 * StartCode.Length + _sps.Length + _pps.Length;
        if (_composed.Length < length) _composed = new byte[2 * length];
        var end = 0;
        Append(bytes[..afterDelimiter], ref end);
        Append(StartCode, ref end);
        Append(_sps, ref end);
        Append(StartCode, ref end);
        Append(_pps, ref end);
        Append(bytes[afterDelimiter..], ref end);
        completed = _composed.AsMemory(0, end);
        return true;
    }

    private void Append(ReadOnlySpan<byte> bytes, ref int end)
    {
        bytes.CopyTo(_composed.AsSpan(end));
        end += bytes.Length;
    }

    private static void Keep(ref byte[] kept, ReadOnlySpan<byte> nalUnit)
    {
        if (!nalUnit.SequenceEqual(kept)) kept = nalUnit.ToArray();
    }
}
