using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Agent.Media;

namespace Agent.Devices.Tests.Encoders;

/// <summary>What a stream was negotiated to be.</summary>
/// <param name="ProfileLevelId">profile-level-id (RFC 6184 §8.1).</param>
/// <param name="Width">Pixels, cropped.</param>
/// <param name="Height">Pixels, cropped.</param>
internal sealed record NegotiatedStream(string ProfileLevelId, int Width, int Height)
{
    /// <summary>profile_idc and constraint flags as one hex number, and the profile's name in ffprobe.</summary>
    private static readonly Dictionary<string, string> Names = new()
    {
        ["42c0"] = "Constrained Baseline", ["42e0"] = "Constrained Baseline", ["4d00"] = "Main", ["4d40"] = "Main", ["6400"] = "High", ["640c"] = "High",
    };

    public string ProfileName => Names.GetValueOrDefault(ProfileLevelId[..4], $"profile {ProfileLevelId[..4]}");

    public int Level => int.Parse(ProfileLevelId[4..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>
/// Whether an Annex B file is what a browser can join at each IDR and show without delay, as ffprobe and ffmpeg read it. For one that was
/// recorded elsewhere there is a command: <c>dotnet Agent.Devices.Tests.dll check-h264 FILE PROFILE-LEVEL-ID WIDTH HEIGHT</c>.
/// </summary>
internal sealed class H264StreamCheck
{
    /// <summary>slice_type modulo 5 (H.264 Table 7-6).</summary>
    private const int SliceTypeB = 1;
    private const int SliceTypes = 5;

    /// <summary>pic_order_cnt_type 2: output order is decoding order (§8.2.1.3).</summary>
    private const int DecodingOrder = 2;

    /// <summary>An IDR picture's NAL units: delimiter or none, parameter sets, enhancement information, slices.</summary>
    private static readonly Regex KeyFrameOrder = new("^(9 )?7 (8 )+(6 )*(5 )+$");
    private static readonly Regex OtherOrder = new("^(9 )?(6 )*(1 )+$");

    private readonly JsonElement _stream;
    private readonly string[] _pictureTypes;
    private readonly string _decoderErrors;

    /// <param name="path">An Annex B file from its first byte.</param>
    public H264StreamCheck(string path)
    {
        AccessUnits = H264Trace.Read(path);
        var (output, errors) = FfmpegTool.RunWithErrors("ffprobe", $"-v warning -of json -show_streams -show_frames -f h264 {path}");
        _decoderErrors = errors;
        using var probed = JsonDocument.Parse(output);
        _stream = probed.RootElement.GetProperty("streams")[0].Clone();
        _pictureTypes = [.. probed.RootElement.GetProperty("frames").EnumerateArray().Select(static frame => frame.GetProperty("pict_type").GetString()!)];
    }

    /// <summary>Every access unit, in order.</summary>
    public IReadOnlyList<TracedAccessUnit> AccessUnits { get; }

    /// <summary>Which of the access units are IDR pictures.</summary>
    public IEnumerable<int> KeyFrames => AccessUnits.Index().Where(static unit => IsKeyFrame(unit.Item)).Select(static unit => unit.Index);

    /// <summary>Everything that is not as negotiated, each in one line; empty if the stream is in order.</summary>
    public IReadOnlyList<string> FindFaults(NegotiatedStream negotiated)
    {
        var faults = new List<string>();
        Compare("ffprobe's profile", negotiated.ProfileName, Probe("profile"));
        Compare("ffprobe's level", negotiated.Level.ToString(CultureInfo.InvariantCulture), Probe("level"));
        Compare("ffprobe's size", $"{negotiated.Width}x{negotiated.Height}", $"{Probe("width")}x{Probe("height")}");
        Compare("ffprobe's has_b_frames", "0", Probe("has_b_frames"));
        Compare("pictures that ffprobe decodes", $"{AccessUnits.Count}", $"{_pictureTypes.Length}");
        Compare("what the decoder complains about", "", _decoderErrors.Trim());
        if (_pictureTypes.Contains("B")) faults.Add("ffprobe decodes B pictures");
        if (AccessUnits.Count == 0 || !IsKeyFrame(AccessUnits[0])) faults.Add("the stream does not begin with an IDR picture");
        HashSet<long?> withLastKeyFrame = [];
        foreach (var (index, unit) in AccessUnits.Index())
        {
            CheckOrder(index, unit, faults);
            if (IsKeyFrame(unit)) withLastKeyFrame = PictureParameterSetsOf(unit);
            if (unit.NalUnits.Any(nalUnit => IsSlice(nalUnit) && !withLastKeyFrame.Contains(nalUnit["pic_parameter_set_id"])))
                faults.Add($"picture {index}: uses parameter sets that did not come with the last IDR picture");
        }
        var sets = AccessUnits.SelectMany(static unit => unit.NalUnits).Where(static nalUnit => nalUnit.Type == NalUnitType.SequenceParameterSet).ToList();
        foreach (var set in sets.DistinctBy(Text)) CheckParameterSet(set, negotiated, faults);
        foreach (var text in sets.Select(Text).Distinct().Skip(1)) faults.Add($"an SPS changes from {Text(sets[0])} to {text}");
        return faults;

        void Compare(string what, string expected, string? actual)
        {
            if (actual != expected) faults.Add($"{what}: {actual ?? "none"} instead of {expected}");
        }
    }

    private static bool IsKeyFrame(TracedAccessUnit unit) => unit.NalUnits.Any(static nalUnit => nalUnit.Type == NalUnitType.IdrSlice);

    private static bool IsSlice(TracedNalUnit nalUnit) => nalUnit.Type is NalUnitType.IdrSlice or NalUnitType.NonIdrSlice;

    /// <summary>The ids of those PPS whose SPS is there too.</summary>
    private static HashSet<long?> PictureParameterSetsOf(TracedAccessUnit unit)
    {
        var sequences = unit.NalUnits.Where(static nalUnit => nalUnit.Type == NalUnitType.SequenceParameterSet).Select(static set => set["seq_parameter_set_id"]).ToHashSet();
        return unit.NalUnits.Where(nalUnit => nalUnit.Type == NalUnitType.PictureParameterSet && sequences.Contains(nalUnit["seq_parameter_set_id"]))
            .Select(static set => set["pic_parameter_set_id"]).ToHashSet();
    }

    /// <summary>What a parameter set says. openh264 gives each IDR's sets the next id, which changes nothing but their length.</summary>
    private static string Text(TracedNalUnit set) => string.Join(' ', set.Elements
        .Where(static element => element.Key != "seq_parameter_set_id" && !element.Key.StartsWith("rbsp_", StringComparison.Ordinal))
        .Select(static element => $"{element.Key}={element.Value}"));

    private static void CheckOrder(int index, TracedAccessUnit unit, List<string> faults)
    {
        var order = string.Concat(unit.NalUnits.Select(static nalUnit => $"{(int)nalUnit.Type} "));
        if (!(IsKeyFrame(unit) ? KeyFrameOrder : OtherOrder).IsMatch(order)) faults.Add($"picture {index}: NAL unit types {order.TrimEnd()}");
        var slices = unit.NalUnits.Where(IsSlice).ToList();
        if (slices.Count(static slice => slice["first_mb_in_slice"] == 0) != 1) faults.Add($"picture {index}: not one slice at macroblock 0");
        if (slices.Select(static slice => slice["frame_num"]).Distinct().Count() != 1) faults.Add($"picture {index}: slices of several pictures");
        if (slices.Any(static slice => slice["slice_type"] % SliceTypes == SliceTypeB)) faults.Add($"picture {index}: a B slice");
    }

    private static void CheckParameterSet(TracedNalUnit set, NegotiatedStream negotiated, List<string> faults)
    {
        var id = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{set["profile_idc"]:x2}");
        long flags = 0;
        for (var i = 0; i < 6; i++) flags = (flags << 1) | (set[$"constraint_set{i}_flag"] ?? 0);
        id.Append(CultureInfo.InvariantCulture, $"{flags << 2:x2}{set["level_idc"]:x2}");
        if (id.ToString() != negotiated.ProfileLevelId) faults.Add($"the SPS says {id} instead of {negotiated.ProfileLevelId}");
        // Without these a decoder may hold pictures back until its buffer is full (§E.2.1).
        if (set["max_num_reorder_frames"] is { } reordered ? reordered != 0 : set["pic_order_cnt_type"] != DecodingOrder)
            faults.Add($"the SPS allows reordering: max_num_reorder_frames {set["max_num_reorder_frames"]}, pic_order_cnt_type {set["pic_order_cnt_type"]}");
    }

    private string? Probe(string entry) => _stream.TryGetProperty(entry, out var value) ? value.ToString() : null;
}
