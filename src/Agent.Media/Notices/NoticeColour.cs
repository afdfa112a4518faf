namespace Agent.Media.Notices;

/// <summary>
/// A colour that <see cref="FlatBlockSlice"/> codes exactly: BT.601, limited range, luma a multiple of
/// <see cref="FlatBlockSlice.LumaStep"/>, chroma a multiple of <see cref="FlatBlockSlice.ChromaStep"/>.
/// </summary>
internal readonly record struct NoticeColour(byte Luma, byte Cb, byte Cr)
{
    /// <summary>Nearly black, a little blue: calm beside a room's lights at night.</summary>
    public static NoticeColour Background => new(32, 136, 120);

    public static NoticeColour Headline => Background with { Luma = 224 };

    public static NoticeColour Detail => Background with { Luma = 160 };

    /// <summary>Amber: a notice, no alarm.</summary>
    public static NoticeColour Accent => new(160, 64, 168);
}
