using System.Globalization;

namespace Agent.Rtc.Sdp;

/// <summary>The profiles that profile-level-id can name (RFC 6184 §8.1 table 5, H.264 Annex A).</summary>
internal enum H264Profile
{
    ConstrainedBaseline,
    Baseline,
    Main,
    Extended,
    ConstrainedHigh,
    High,
    High10,
    High422,
    High444Predictive,
}

/// <summary>A parsed profile-level-id (RFC 6184 §8.1): profile_idc, profile-iop and level_idc as in the SPS.</summary>
internal readonly record struct H264ProfileLevel(H264Profile Profile, byte ProfileIdc, byte ProfileIop, byte LevelIdc)
{
    private const byte ConstraintSet0 = 0x80;
    private const byte ConstraintSet1 = 0x40;
    private const byte ConstraintSet3 = 0x10;
    private const byte ConstraintSets4And5 = 0x0C;
    private const byte ReservedBits = 0x0F;

    /// <summary>level_idc 11 with constraint_set3_flag means level 1b (H.264 §A.3.1).</summary>
    private const byte Level11 = 11;

    /// <summary>level_idc 9 means level 1b in the High profiles (H.264 §A.3.2).</summary>
    private const byte Level1B = 9;

    /// <summary>
    /// The offered profiles that can decode a stream of each profile, best first (H.264 §A.2). A High stream fits Constrained High
    /// as well: that profile leaves out interlace and B-pictures, which a low-delay camera stream does not have.
    /// </summary>
    private static readonly Dictionary<H264Profile, H264Profile[]> s_decoders = new()
    {
        [H264Profile.ConstrainedBaseline] =
        [
            H264Profile.ConstrainedBaseline, H264Profile.Baseline, H264Profile.Main, H264Profile.ConstrainedHigh, H264Profile.High,
            H264Profile.Extended, H264Profile.High10, H264Profile.High422, H264Profile.High444Predictive,
        ],
        [H264Profile.Baseline] = [H264Profile.Baseline, H264Profile.Extended],
        [H264Profile.Extended] = [H264Profile.Extended],
        [H264Profile.Main] = [H264Profile.Main, H264Profile.High, H264Profile.High10, H264Profile.High422, H264Profile.High444Predictive],
        [H264Profile.ConstrainedHigh] =
            [H264Profile.ConstrainedHigh, H264Profile.High, H264Profile.High10, H264Profile.High422, H264Profile.High444Predictive],
        [H264Profile.High] =
            [H264Profile.High, H264Profile.ConstrainedHigh, H264Profile.High10, H264Profile.High422, H264Profile.High444Predictive],
        [H264Profile.High10] = [H264Profile.High10, H264Profile.High422, H264Profile.High444Predictive],
        [H264Profile.High422] = [H264Profile.High422, H264Profile.High444Predictive],
        [H264Profile.High444Predictive] = [H264Profile.High444Predictive],
    };

    private bool IsLevel1B => LevelIdc == Level1B || (LevelIdc == Level11 && HasLevel1BFlag(ProfileIdc) && (ProfileIop & ConstraintSet3) != 0);

    /// <summary>Ten times the level number, comparable: 1b lies between 1 and 1.1.</summary>
    private double LevelOrder => IsLevel1B ? 10.5 : LevelIdc;

    /// <summary>"3.1", "1b".</summary>
    public string LevelName => IsLevel1B ? "1b" : $"{LevelIdc / 10}.{LevelIdc % 10}";

    /// <summary>True for six hex digits that name a profile of the table.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out H264ProfileLevel result)
    {
        result = default;
        if (text.Length != 6 || !uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        var (idc, iop, level) = ((byte)(value >> 16), (byte)(value >> 8), (byte)value);
        if (Classify(idc, iop) is not { } profile)
        {
            return false;
        }

        result = new H264ProfileLevel(profile, idc, iop, level);
        return true;
    }

    /// <summary>How well a decoder of <paramref name="offered"/>'s profile suits this stream: 0 is the stream's own profile, -1 cannot decode it.</summary>
    public int RankDecoder(H264ProfileLevel offered) => Array.IndexOf(s_decoders[Profile], offered.Profile);

    /// <summary>True if this stream's level does not exceed the offered one.</summary>
    public bool IsWithinLevelOf(H264ProfileLevel offered) => LevelOrder <= offered.LevelOrder;

    /// <summary>
    /// The answer to an offered profile: its profile_idc and profile-iop, which must come back unchanged (RFC 6184 §8.2.2), with
    /// this stream's level. A level of 1b is written as 1.1, which contains it, since its spelling depends on the profile.
    /// </summary>
    public string AnswerTo(H264ProfileLevel offered)
    {
        var iop = HasLevel1BFlag(offered.ProfileIdc) ? offered.ProfileIop & ~ConstraintSet3 : offered.ProfileIop;
        return $"{offered.ProfileIdc:x2}{iop:x2}{(IsLevel1B ? Level11 : LevelIdc):x2}";
    }

    private static H264Profile? Classify(byte idc, byte iop)
    {
        var set0 = (iop & ConstraintSet0) != 0;
        var set1 = (iop & ConstraintSet1) != 0;
        return idc switch
        {
            0x42 when (iop & ReservedBits) == 0 => set1 ? H264Profile.ConstrainedBaseline : H264Profile.Baseline,
            0x4D when (iop & ReservedBits) == 0 => set0 ? H264Profile.ConstrainedBaseline : H264Profile.Main,
            0x58 when (iop & ReservedBits) == 0 => (set0, set1) switch
            {
                (true, true) => H264Profile.ConstrainedBaseline,
                (true, false) => H264Profile.Baseline,
                _ => H264Profile.Extended,
            },
            0x64 => (iop & ConstraintSets4And5) == ConstraintSets4And5 ? H264Profile.ConstrainedHigh : H264Profile.High,
            0x6E => H264Profile.High10,
            0x7A => H264Profile.High422,
            0xF4 => H264Profile.High444Predictive,
            _ => null,
        };
    }

    private static bool HasLevel1BFlag(byte idc) => idc is 0x42 or 0x4D or 0x58;
}
