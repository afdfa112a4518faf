using Agent.Devices.Motion;
using Agent.Home;
using Agent.Media.Motion;
using MotionKey = Agent.Configuration.Key<Agent.Devices.Motion.MotionOptions>;
using ZoneKey = Agent.Configuration.Key<Agent.Media.Motion.MotionZone>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    /// <summary>Percent of the picture: a cell of the coarse picture is a thirtieth.</summary>
    private const double LeastMotionArea = 0.01;
    private const double GreatestMotionArea = 100;
    private const int GreatestMotionRate = 30;
    private const int LongestHoldSeconds = 3600;

    private const string ZoneNamePattern = "^[A-Za-z0-9_-]{1,20}$";
    private const int MaximumZoneNameLength = 20;

    private static SectionType<MotionZone> Zone => new(
        new MotionZone("", MotionArea.WholePicture), null,
        ZoneKey.Of("area", "Where the zone is: [left, top, width, height] or a list of points [x, y], in shares of the picture from 0 at its top left to 1; without it everywhere.",
            new MotionAreaType(), o => o.Area, (o, v) => o with { Area = v }),
        ZoneKey.Of("sensitivity", "The zone's own sensitivity; without it the camera's.",
            new OptionalType<int>(new IntegerType(MotionSettings.LeastSensitive, MotionSettings.MostSensitive)), o => o.Sensitivity, (o, v) => o with { Sensitivity = v }),
        ZoneKey.Of("minimumArea", "The zone's own least size, in percent of the whole picture; without it the camera's.",
            new OptionalType<double>(new DecimalType(LeastMotionArea, GreatestMotionArea)), o => o.MinimumArea, (o, v) => o with { MinimumArea = v }));

    private static SectionType<MotionOptions> Motion => new(
        new MotionOptions(), CheckMotion,
        MotionKey.Of("enabled", "Whether motion is looked for in this camera's pictures.", new BooleanType(), o => o.Enabled, (o, v) => o with { Enabled = v }),
        MotionKey.Of("sensitivity", "1, for strong contrasts only, to 100, for any that stands out from the noise; until it is changed at run time.",
            new IntegerType(MotionSettings.LeastSensitive, MotionSettings.MostSensitive),
            o => o.Settings.Sensitivity, (o, v) => o with { Settings = o.Settings with { Sensitivity = v } }),
        MotionKey.Of("minimumArea", "The least size of what counts, in percent of the picture.",
            new DecimalType(LeastMotionArea, GreatestMotionArea), o => o.Settings.MinimumArea, (o, v) => o with { Settings = o.Settings with { MinimumArea = v } }),
        MotionKey.Of("frameRate", "Pictures looked at in a second, at most; motion is seen after three of them.",
            new IntegerType(1, GreatestMotionRate), o => o.FramesPerSecond, (o, v) => o with { FramesPerSecond = v }),
        MotionKey.Of("holdFor", "Seconds without motion after which it is over.",
            new IntegerType(1, LongestHoldSeconds), o => (int)o.Settings.HoldFor.TotalSeconds,
            (o, v) => o with { Settings = o.Settings with { HoldFor = TimeSpan.FromSeconds(v) } }),
        MotionKey.Of("zones", "Parts of the picture by name, each with a motion of its own; nothing outside of them counts. Without zones the whole picture does.",
            new MapType<MotionZone>(
                Zone, (o, name) => o with { Name = name }, ZoneNamePattern, name => name.Length <= MaximumZoneNameLength && IsName(name), "1 to 20 letters, digits, '-' and '_'"),
            o => o.Settings.Zones, (o, v) => o with { Settings = o.Settings with { Zones = v } }),
        MotionKey.Of("ignore", "Parts of the picture that are never looked at, written as zones' areas: trees, a road, a clock that the camera draws.",
            new ListType<MotionArea>(new MotionAreaType(), "an array of areas"), o => o.Settings.Ignore, (o, v) => o with { Settings = o.Settings with { Ignore = v } }));

    /// <summary>Zones' names become ids beside others.</summary>
    private static void CheckMotion(MotionOptions motion, string path, ConfigBinding binding)
    {
        var ids = new Dictionary<string, string> { ["sensitivity"] = "the camera's sensitivity", ["detection"] = "the camera's switch" };
        foreach (var zone in motion.Settings.Zones)
        {
            if (!ids.TryAdd(CameraEntities.ToId(zone.Name), $"zone \"{zone.Name}\""))
            {
                binding.Report($"{path}.zones.{zone.Name}", $"its id would be that of {ids[CameraEntities.ToId(zone.Name)]}; choose another name.");
            }
        }
    }
}
