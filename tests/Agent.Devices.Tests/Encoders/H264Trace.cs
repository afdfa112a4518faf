using System.Globalization;
using System.Text.RegularExpressions;
using Agent.Media;

namespace Agent.Devices.Tests.Encoders;

/// <summary>One NAL unit's header, parameters and slice header: the value of each syntax element by its name in the specification.</summary>
internal sealed record TracedNalUnit(NalUnitType Type, IReadOnlyDictionary<string, long> Elements)
{
    /// <summary>The value, or <c>null</c> if the NAL unit does not carry it.</summary>
    public long? this[string element] => Elements.TryGetValue(element, out var value) ? value : null;
}

/// <summary>One access unit as ffmpeg's parser cuts the stream.</summary>
internal sealed record TracedAccessUnit(int Bytes, IReadOnlyList<TracedNalUnit> NalUnits);

/// <summary>The syntax of an Annex B file as ffmpeg's trace_headers filter reads it.</summary>
internal static partial class H264Trace
{
    public static IReadOnlyList<TracedAccessUnit> Read(string path)
    {
        var units = new List<TracedAccessUnit>();
        List<TracedNalUnit>? nalUnits = null;
        Dictionary<string, long> elements = [];
        foreach (var line in FfmpegTool.RunWithErrors("ffmpeg", $"-v info -nostats -nostdin -f h264 -i {path} -c copy -bsf:v trace_headers -f null -").Errors.Split('\n'))
        {
            if (Packet().Match(line) is { Success: true } packet)
            {
                nalUnits = [];
                units.Add(new TracedAccessUnit(int.Parse(packet.Groups[1].Value, CultureInfo.InvariantCulture), nalUnits));
            }
            else if (Element().Match(line) is { Success: true } element && nalUnits is not null)
            {
                // What comes before the first packet are the parameter sets that were found when the file was opened.
                var (name, value) = (element.Groups[1].Value, long.Parse(element.Groups[2].Value, CultureInfo.InvariantCulture));
                if (name == "forbidden_zero_bit") elements = [];
                if (name == "nal_unit_type") nalUnits.Add(new TracedNalUnit((NalUnitType)value, elements));
                elements.TryAdd(name, value);
            }
        }
        return units;
    }

    [GeneratedRegex(@"^\[trace_headers @ [^]]+\] Packet: (\d+) bytes")]
    private static partial Regex Packet();

    [GeneratedRegex(@"^\[trace_headers @ [^]]+\] \d+ +(\S+) +[01]+ = (-?\d+)$")]
    private static partial Regex Element();
}
