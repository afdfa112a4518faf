using Agent.Devices.Pwm;
using PanTiltKey = Agent.Configuration.Key<Agent.Devices.Pwm.PanTiltOptions>;
using PresetKey = Agent.Configuration.Key<Agent.Devices.Pwm.PanTiltPreset>;
using ServoKey = Agent.Configuration.Key<Agent.Devices.Pwm.ServoOptions>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    /// <summary>Microseconds: what any hobby servo takes without running into its stops is within.</summary>
    private const int ShortestPulse = 500, LongestPulse = 2500;

    private const int GreatestRange = 360, GreatestServoSpeed = 1000, GreatestServoAcceleration = 10_000;
    private const int LongestUntilRelease = 3_600_000;

    /// <summary>With another one and <c>preset</c> between them it has to be an entity's id.</summary>
    private const int MaximumPartLength = 24;
    private const string PartPattern = "^[a-z0-9_]{1,24}$";
    private const string PartInWords = "1 to 24 lower-case letters, digits and '_'";

    private static MapType<PanTiltOptions> PanTilts => new(
        new SectionType<PanTiltOptions>(
            new PanTiltOptions(), CheckPanTilt,
            PanTiltKey.Of("pan", "The servo that turns the camera to the sides.", ServoOf(new PanTiltOptions().Pan), o => o.Pan, (o, v) => o with { Pan = v }),
            PanTiltKey.Of("tilt", "The servo that turns it up and down.", ServoOf(new PanTiltOptions().Tilt), o => o.Tilt, (o, v) => o with { Tilt = v }),
            PanTiltKey.Of("home", "Where the button home sends it, in degrees; without it the centre.", AnglesOf(), o => new("", o.Home), (o, v) => o with { Home = v.Angles }),
            PanTiltKey.Of("presets", "Where else it can be sent, by names; each gets a button.",
                new MapType<PanTiltPreset>(AnglesOf(), (o, name) => o with { Name = name }, PartPattern, IsPart, PartInWords), o => o.Presets, (o, v) => o with { Presets = v }),
            PanTiltKey.Of("start", "Where it looks at the start: where it looked last (restore, which needs stateDirectory), home, or it is left alone until the first command (keep).",
                new ChoiceType<PanTiltAtStart>(("restore", PanTiltAtStart.Restore), ("home", PanTiltAtStart.Home), ("keep", PanTiltAtStart.Keep)), o => o.Start, (o, v) => o with { Start = v }),
            PanTiltKey.Of("atStop", "What becomes of the servos when the agent stops: they let go (release), or are held where they are (hold).",
                new ChoiceType<ServosAtStop>(("release", ServosAtStop.Release), ("hold", ServosAtStop.Hold)), o => o.AtStop, (o, v) => o with { AtStop = v }),
            PanTiltKey.Of("releaseAfter", "Milliseconds of standing still after which the servos get no more pulses, so that they neither hum nor warm up; 0 holds them all the time.",
                new IntegerType(0, LongestUntilRelease), o => o.ReleaseAfter, (o, v) => o with { ReleaseAfter = v })),
        (o, name) => o with { Name = name }, PartPattern, IsPart, PartInWords);

    private static SectionType<ServoOptions> ServoOf(ServoOptions defaults) => new(
        defaults, CheckServo,
        ServoKey.Of("chip", ChipDescription, PwmChip, o => o.Chip, (o, v) => o with { Chip = v }),
        ServoKey.Of("channel", "The channel of the chip, from 0.", new IntegerType(0, MaximumPwmChannel), o => o.Channel, (o, v) => o with { Channel = v }),
        ServoKey.Of("minimumPulse", "Microseconds of the pulse at half of range below the centre.", new IntegerType(ShortestPulse, LongestPulse), o => o.MinimumPulse, (o, v) => o with { MinimumPulse = v }),
        ServoKey.Of("centrePulse", "Microseconds of the pulse at 0°.", new IntegerType(ShortestPulse, LongestPulse), o => o.CentrePulse, (o, v) => o with { CentrePulse = v }),
        ServoKey.Of("maximumPulse", "Microseconds of the pulse at half of range above the centre.", new IntegerType(ShortestPulse, LongestPulse), o => o.MaximumPulse, (o, v) => o with { MaximumPulse = v }),
        ServoKey.Of("range", "Degrees that the servo turns from minimumPulse to maximumPulse.", new IntegerType(1, GreatestRange), o => o.Range, (o, v) => o with { Range = v }),
        ServoKey.Of("inverted", "true for a servo that turns the other way round: positive angles are right and up.", new BooleanType(), o => o.IsInverted, (o, v) => o with { IsInverted = v }),
        ServoKey.Of("minimumAngle", "Degrees that it never goes below; without it half of range.", Angle, o => o.MinimumAngle, (o, v) => o with { MinimumAngle = v }),
        ServoKey.Of("maximumAngle", "Degrees that it never goes above; without it half of range.", Angle, o => o.MaximumAngle, (o, v) => o with { MaximumAngle = v }),
        ServoKey.Of("speed", "Degrees a second at most.", new IntegerType(1, GreatestServoSpeed), o => o.Speed, (o, v) => o with { Speed = v }),
        ServoKey.Of("acceleration", "Degrees a second squared: how gently it sets out and arrives.", new IntegerType(1, GreatestServoAcceleration), o => o.Acceleration, (o, v) => o with { Acceleration = v }));

    private static OptionalType<double> Angle => new(new DecimalType(-GreatestRange / 2.0, GreatestRange / 2.0));

    private static SectionType<PanTiltPreset> AnglesOf() => new(
        new PanTiltPreset("", default), null,
        PresetKey.Of("pan", "Degrees to the right of the centre.", new DecimalType(-GreatestRange / 2.0, GreatestRange / 2.0), o => o.Angles.Pan, (o, v) => o with { Angles = o.Angles with { Pan = v } }),
        PresetKey.Of("tilt", "Degrees above the centre.", new DecimalType(-GreatestRange / 2.0, GreatestRange / 2.0), o => o.Angles.Tilt, (o, v) => o with { Angles = o.Angles with { Tilt = v } }));

    private static bool IsPart(string text) => text.Length <= MaximumPartLength && text.Length > 0 && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_');

    private static void CheckServo(ServoOptions servo, string path, ConfigBinding binding)
    {
        if (servo.MinimumPulse >= servo.CentrePulse || servo.CentrePulse >= servo.MaximumPulse)
        {
            binding.Report($"{path}.centrePulse", $"{servo.CentrePulse} µs has to be between minimumPulse, {servo.MinimumPulse}, and maximumPulse, {servo.MaximumPulse}; \"inverted\" turns a servo round.");
        }

        var half = servo.Range / 2.0;
        if (servo.Lowest < -half) binding.Report($"{path}.minimumAngle", Invariant($"{servo.Lowest}° is beyond half of range, {-half}°."));
        if (servo.Highest > half) binding.Report($"{path}.maximumAngle", Invariant($"{servo.Highest}° is beyond half of range, {half}°."));
        if (servo.Lowest >= servo.Highest) binding.Report($"{path}.minimumAngle", Invariant($"{servo.Lowest}° has to be less than maximumAngle, {servo.Highest}°."));
    }

    private static void CheckPanTilt(PanTiltOptions options, string path, ConfigBinding binding)
    {
        CheckAngles($"{path}.home", options.Home);
        foreach (var preset in options.Presets)
        {
            if (preset.Name == "home") binding.Report($"{path}.presets.home", $"is {path}.home, beside the presets.");
            CheckAngles($"{path}.presets.{preset.Name}", preset.Angles);
        }

        void CheckAngles(string at, PanTiltAngles angles)
        {
            CheckAngle($"{at}.pan", angles.Pan, options.Pan);
            CheckAngle($"{at}.tilt", angles.Tilt, options.Tilt);
        }

        void CheckAngle(string at, double angle, ServoOptions servo)
        {
            if (angle < servo.Lowest || angle > servo.Highest) binding.Report(at, Invariant($"{angle}° is not within {servo.Lowest}° to {servo.Highest}°, where the servo may go."));
        }
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
