using Agent.Devices.Sources;
using Agent.Media;

namespace Agent.Devices.Encoders;

/// <summary>
/// Makes access units of what an H.264 encoder writes: parameter sets that come in a buffer of their own, or with the first picture only, are
/// put before each IDR that has none. Used by one thread.
/// </summary>
/// <param name="marksConstrainedBaseline">Whether the parameter sets are made to say what browsers offer.</param>
internal sealed class V4l2M2mStream(bool marksConstrainedBaseline)
{
    private readonly ParameterSetKeeper _parameterSets = new();
    private SequenceParameterSet _sps;

    private static ReadOnlySpan<byte> StartCode => [0, 0, 1];

    /// <summary>profile-level-id of the last SPS; <c>null</c> before the first.</summary>
    public string? ProfileLevelId { get; private set; }

    /// <summary>
    /// Completes what a coded buffer holds, in place or in memory that is valid until the next call; false if it is parameter sets only, which
    /// are kept for the next IDR.
    /// </summary>
    public bool TryComplete(Span<byte> coded, out ReadOnlySpan<byte> accessUnit)
    {
        accessUnit = coded;
        if (!IsSpecial(coded, out var hasPicture)) return true;
        if (marksConstrainedBaseline) ConstrainedBaseline.Mark(coded);
        if (_parameterSets.TryComplete(coded, out var completed)) accessUnit = completed.Span;
        var position = 0;
        while (NalUnit.TryFindNext(coded, ref position, out var range))
        {
            if (!SpsReader.TryRead(coded[range], out var sps) || sps == _sps) continue;
            _sps = sps;
            ProfileLevelId = sps.ProfileLevelId;
        }
        return hasPicture;
    }

    /// <summary>
    /// Whether a buffer is anything but an ordinary picture: an IDR, or with parameter sets. Looks no further than the first slice, since
    /// everything that tells comes before it (H.264 §7.4.1.2.3).
    /// </summary>
    private static bool IsSpecial(ReadOnlySpan<byte> coded, out bool hasPicture)
    {
        var isSpecial = false;
        hasPicture = false;
        while (coded.IndexOf(StartCode) is var position and >= 0 && position + StartCode.Length < coded.Length)
        {
            coded = coded[(position + StartCode.Length)..];
            var type = NalUnit.TypeOf(coded[0]);
            isSpecial |= type is NalUnitType.IdrSlice or NalUnitType.SequenceParameterSet or NalUnitType.PictureParameterSet;
            hasPicture = type is >= NalUnitType.NonIdrSlice and <= NalUnitType.IdrSlice;
            if (hasPicture) return isSpecial;
        }
        // Without a picture it is none of the ordinary ones.
        return true;
    }
}
