using System.Globalization;
using Agent.Home;
using Agent.Home.Automations;
using ActionKey = Agent.Configuration.Key<Agent.Configuration.ActionKeys>;
using AutomationKey = Agent.Configuration.Key<Agent.Home.Automations.AutomationOptions>;
using ConditionKey = Agent.Configuration.Key<Agent.Configuration.ConditionKeys>;
using PublishKey = Agent.Configuration.Key<Agent.Home.Automations.PublishAction>;
using TriggerKey = Agent.Configuration.Key<Agent.Configuration.TriggerKeys>;

namespace Agent.Configuration;

internal static partial class ConfigurationTable
{
    private const string AutomationNamePattern = "^[a-z0-9_]{1,40}$";
    private const int MaximumAutomationName = 40;
    private const string DurationPattern = "^-?[0-9]{1,6}(ms|s|m|h)$";
    private const string TimePattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$";
    private const string DurationInWords = "a time with its unit (ms, s, m, h), such as \"30s\", of 24 hours at most";
    private const int MaximumPayload = 4096;

    /// <summary>What a threshold can be compared with: beyond, a number is not written without a mistake.</summary>
    private const double MaximumThreshold = 1e12;

    private static readonly TimeSpan LongestDuration = TimeSpan.FromHours(24);

    private static ConfigType<IReadOnlyList<AutomationOptions>> Automations => new MapType<AutomationOptions>(
        Automation, (o, name) => o with { Name = name }, AutomationNamePattern,
        static name => name.Length is > 0 and <= MaximumAutomationName && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_'),
        $"1 to {MaximumAutomationName} lower-case letters, digits and '_'");

    private static GeoLocation Nowhere => new(double.NaN, double.NaN);

    private static SectionType<GeoLocation?> Location => new(
        null, CheckLocation,
        Key<GeoLocation?>.Of("latitude", "Degrees, north of the equator positive.", new DecimalType(-90, 90),
            _ => double.NaN, (o, v) => (o ?? Nowhere) with { Latitude = v }),
        Key<GeoLocation?>.Of("longitude", "Degrees, east of Greenwich positive.", new DecimalType(-180, 180),
            _ => double.NaN, (o, v) => (o ?? Nowhere) with { Longitude = v }));

    private static SectionType<AutomationOptions> Automation => new(
        new AutomationOptions { Name = "" }, CheckAutomation,
        AutomationKey.Of("enabled", "Whether it is in force until somebody uses its switch.", new BooleanType(), o => o.Enabled, (o, v) => o with { Enabled = v }),
        AutomationKey.Of("when", "What sets it off: any of these. Each is one of entity with to, event, above or below; unavailable; at; sun; start.",
            new ListType<AutomationTrigger>(Trigger, "an array of objects such as { \"entity\": \"motion\", \"to\": \"on\" }"), _ => null!, (o, v) => o with { When = v }),
        AutomationKey.Of("if", "What has to hold at that moment: all of these. Each is one of entity with is, above or below; after and before and days; sun.",
            new ListType<AutomationCondition>(Condition, "an array of objects such as { \"sun\": \"down\" }"), o => o.If, (o, v) => o with { If = v }),
        AutomationKey.Of("do", "What is done then, one after the other. Each is one of set with to; toggle; press; snapshot; publish; wait.",
            new ListType<AutomationAction>(Action, "an array of objects such as { \"set\": \"lamp\", \"to\": \"on\", \"for\": \"2m\" }"), _ => null!, (o, v) => o with { Do = v }),
        AutomationKey.Of("cooldown", "How long after it was set off it cannot be set off again.", PlainDuration, o => o.Cooldown, (o, v) => o with { Cooldown = v }),
        AutomationKey.Of("mode", "When it is set off while it runs: begin the actions anew, or ignore that.",
            new ChoiceType<AutomationMode>(("restart", AutomationMode.Restart), ("ignore", AutomationMode.Ignore)), o => o.Mode, (o, v) => o with { Mode = v }));

    private static VariantType<TriggerKeys, AutomationTrigger> Trigger => new(
        new SectionType<TriggerKeys>(
            new TriggerKeys(), static (keys, path, binding) =>
            {
                if (binding.IsSet($"{path}.start") && !keys.Start) binding.Report($"{path}.start", "can only be true; remove it otherwise.");
            },
            TriggerKey.Of("entity", "The entity that is watched.", EntityId, o => o.Entity, (o, v) => o with { Entity = v! }),
            TriggerKey.Of("to", "The value that it takes on.", OnOff, o => o.To, (o, v) => o with { To = v }),
            TriggerKey.Of("event", "The type of event that it reports.", Text("an event's type", IsWord), o => o.Event, (o, v) => o with { Event = v }),
            TriggerKey.Of("above", "A limit that its number exceeds.", Threshold, o => o.Above ?? double.NaN, (o, v) => o with { Above = v }),
            TriggerKey.Of("below", "A limit that its number falls below.", Threshold, o => o.Below ?? double.NaN, (o, v) => o with { Below = v }),
            TriggerKey.Of("hysteresis", "How far the number has to come back before it counts again.", new DecimalType(0, MaximumThreshold), o => o.Hysteresis, (o, v) => o with { Hysteresis = v }),
            TriggerKey.Of("for", "How long it has to stay so.", Duration, o => o.For, (o, v) => o with { For = v }),
            TriggerKey.Of("unavailable", "The entity that becomes unavailable.", EntityId, o => o.Unavailable, (o, v) => o with { Unavailable = v }),
            TriggerKey.Of("at", "A time of day by the machine's clock and zone.", TimeOfDay, o => o.At, (o, v) => o with { At = v }),
            TriggerKey.Of("days", "The days of the week on which it counts.", Days, o => o.Days, (o, v) => o with { Days = v }),
            TriggerKey.Of("sun", "Sunrise or sunset at location.", new ChoiceType<SunEvent>(("sunrise", SunEvent.Sunrise), ("sunset", SunEvent.Sunset)), o => o.Sun, (o, v) => o with { Sun = v }),
            TriggerKey.Of("offset", "How long after it, or with - before it.", SignedDuration, o => o.Offset, (o, v) => o with { Offset = v }),
            TriggerKey.Of("start", "true: when the agent has started.", new BooleanType(), o => o.Start, (o, v) => o with { Start = v })),
        new(["to"], ["for"], "entity", o => new StateTrigger(o.Entity, o.To!, o.For ?? default)),
        new(["event"], [], "entity", o => new HappeningTrigger(o.Entity, o.Event!)),
        new(["above"], ["hysteresis", "for"], "entity", o => new ThresholdTrigger(o.Entity, o.Above!.Value, true, o.Hysteresis, o.For ?? default)),
        new(["below"], ["hysteresis", "for"], "entity", o => new ThresholdTrigger(o.Entity, o.Below!.Value, false, o.Hysteresis, o.For ?? default)),
        new(["unavailable"], ["for"], null, o => new UnavailableTrigger(o.Unavailable!, o.For ?? default)),
        new(["at"], ["days"], null, o => new TimeTrigger(o.At!.Value, o.Days)),
        new(["sun"], ["offset", "days"], null, o => new SunTrigger(o.Sun, o.Offset ?? default, o.Days)),
        new(["start"], [], null, _ => new StartTrigger()));

    private static VariantType<ConditionKeys, AutomationCondition> Condition => new(
        new SectionType<ConditionKeys>(
            new ConditionKeys(), null,
            ConditionKey.Of("entity", "The entity that is looked at.", EntityId, o => o.Entity, (o, v) => o with { Entity = v! }),
            ConditionKey.Of("is", "The value that it has.", OnOff, o => o.Is, (o, v) => o with { Is = v }),
            ConditionKey.Of("above", "A limit that its number exceeds.", Threshold, o => o.Above ?? double.NaN, (o, v) => o with { Above = v }),
            ConditionKey.Of("below", "A limit that its number is below.", Threshold, o => o.Below ?? double.NaN, (o, v) => o with { Below = v }),
            ConditionKey.Of("after", "From this time of day on.", TimeOfDay, o => o.After, (o, v) => o with { After = v }),
            ConditionKey.Of("before", "Until this time of day; over midnight if it is earlier than after.", TimeOfDay, o => o.Before, (o, v) => o with { Before = v }),
            ConditionKey.Of("days", "The days of the week.", Days, o => o.Days, (o, v) => o with { Days = v }),
            ConditionKey.Of("sun", "Whether the sun is up or down at location.", new ChoiceType<bool>(("up", true), ("down", false)), o => o.SunIsUp, (o, v) => o with { SunIsUp = v })),
        new(["is"], [], "entity", o => new StateCondition(o.Entity, o.Is!)),
        new(["above", "below"], [], "entity", o => new RangeCondition(o.Entity, o.Above, o.Below)),
        new(["after", "before", "days"], [], null, o => new TimeCondition(o.After, o.Before, o.Days)),
        new(["sun"], [], null, o => new SunCondition(o.SunIsUp)));

    private static VariantType<ActionKeys, AutomationAction> Action => new(
        new SectionType<ActionKeys>(
            new ActionKeys(), null,
            ActionKey.Of("set", "The entity that is given a command.", EntityId, o => o.Set, (o, v) => o with { Set = v }),
            ActionKey.Of("to", "The command.", OnOff, o => o.To, (o, v) => o with { To = v }),
            ActionKey.Of("for", "Afterwards it is set to what it was before.", Duration, o => o.For, (o, v) => o with { For = v }),
            ActionKey.Of("toggle", "The switch or light that is turned on if it is off, and off otherwise.", EntityId, o => o.Toggle, (o, v) => o with { Toggle = v }),
            ActionKey.Of("press", "The button that is pressed.", EntityId, o => o.Press, (o, v) => o with { Press = v }),
            ActionKey.Of("snapshot", "The camera, by its name in cameras, of which a picture is taken.", Text(NameInWords, IsName, NamePattern), o => o.Snapshot, (o, v) => o with { Snapshot = v }),
            ActionKey.Of("publish", "A message for the broker.", Message, o => o.Publish, (o, v) => o with { Publish = v }),
            ActionKey.Of("wait", "Time that goes by before the next action.", PlainDuration, o => o.Wait, (o, v) => o with { Wait = v })),
        new(["set"], ["for"], "to", o => new SetAction(o.Set!, o.To!, o.For)),
        new(["toggle"], [], null, o => new ToggleAction(o.Toggle!)),
        new(["press"], [], null, o => new PressAction(o.Press!)),
        new(["snapshot"], [], null, o => new PressAction(CameraEntities.TakeSnapshotId(o.Snapshot!))),
        new(["publish"], [], null, o => o.Publish),
        new(["wait"], [], null, o => new WaitAction(o.Wait)));

    private static SectionType<PublishAction> Message => new(
        new PublishAction("", ""), CheckMessage,
        PublishKey.Of("topic", "The topic.", new TextType<string>(TopicInWords, static (string text, out string value) => IsTopic(value = text), v => v), o => o.Topic, (o, v) => o with { Topic = v }),
        PublishKey.Of("payload", "The message.", new ScalarType("true", "false"), o => o.Payload, (o, v) => o with { Payload = v! }),
        PublishKey.Of("retain", "Whether the broker keeps it.", new BooleanType(), o => o.Retain, (o, v) => o with { Retain = v }));

    private static TextType<string?> EntityId => Text("an entity's id, as GET /api/entities lists them", Entity.IsId, "^[a-z0-9_]{1,64}$");

    private static ScalarType OnOff => new(SwitchEntity.On, SwitchEntity.Off);

    private static DecimalType Threshold => new(-MaximumThreshold, MaximumThreshold);

    private static TextType<TimeSpan> PlainDuration => new(
        DurationInWords, static (string text, out TimeSpan value) => TryParseDuration(text, out value) && value >= TimeSpan.Zero, FormatDuration, DurationPattern);

    private static TextType<TimeSpan?> Duration => new(
        DurationInWords, static (string text, out TimeSpan? value) => { var good = TryParseDuration(text, out var read); value = read; return good && read >= TimeSpan.Zero; },
        static v => FormatDuration(v!.Value), DurationPattern);

    private static TextType<TimeSpan?> SignedDuration => new(
        "a time with its unit (s, m, h), such as \"-30m\"", static (string text, out TimeSpan? value) => { var good = TryParseDuration(text, out var read); value = read; return good; },
        static v => FormatDuration(v!.Value), DurationPattern);

    private static TextType<TimeOnly?> TimeOfDay => new(
        "a time of day such as \"22:30\" or \"06:00:30\"",
        static (string text, out TimeOnly? value) =>
        {
            var good = TimeOnly.TryParseExact(text, ["HH:mm", "HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var read);
            value = read;
            return good;
        },
        static v => v!.Value.ToString("HH:mm:ss", CultureInfo.InvariantCulture), TimePattern);

    private static ConfigType<Weekdays> Days => new DaysType();

    private static bool TryParseDuration(string text, out TimeSpan value)
    {
        value = default;
        var digits = text.TrimEnd("hms".ToCharArray());
        if (!int.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) || digits.StartsWith('+')) return false;
        TimeSpan? unit = text[digits.Length..] switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => null,
        };
        if (unit is not { } one || Math.Abs((double)count) > LongestDuration / one) return false;
        value = one * count;
        return true;
    }

    private static string FormatDuration(TimeSpan value) =>
        value.TotalSeconds == Math.Floor(value.TotalSeconds) ? $"{value.TotalSeconds:0}s" : $"{value.TotalMilliseconds:0}ms";

    private static void CheckAutomation(AutomationOptions automation, string path, ConfigBinding binding)
    {
        if (automation.When.Count == 0) binding.Report($"{path}.when", "is missing or empty: nothing would ever set it off.");
        if (automation.Do.Count == 0) binding.Report($"{path}.do", "is missing or empty: it would do nothing.");
    }

    private static void CheckLocation(GeoLocation? location, string path, ConfigBinding binding)
    {
        if (location is { Latitude: var latitude, Longitude: var longitude } && !double.IsNaN(latitude) && !double.IsNaN(longitude)) return;
        binding.Report(path, "needs both latitude and longitude.");
    }

    private static void CheckMessage(PublishAction message, string path, ConfigBinding binding)
    {
        if (message.Topic.Length == 0) binding.Report(path, "needs topic.");
        else if (message.Topic.StartsWith('$')) binding.Report($"{path}.topic", $"found \"{message.Topic}\"; topics with '$' are the broker's own.");
        if (System.Text.Encoding.UTF8.GetByteCount(message.Payload) > MaximumPayload) binding.Report($"{path}.payload", $"is longer than {MaximumPayload} bytes.");
    }

    /// <summary>What automations need of the other sections.</summary>
    private static void CheckAutomations(AgentOptions options, string path, ConfigBinding binding)
    {
        var cameras = options.Cameras.Select(camera => CameraEntities.TakeSnapshotId(camera.Name)).ToHashSet();
        foreach (var automation in options.Automations)
        {
            var at = ConfigPath.Append(path, $"automations.{automation.Name}");
            foreach (var (index, trigger) in automation.When.Index())
            {
                if (trigger is SunTrigger && options.Location is null) binding.Report($"{at}.when[{index}].sun", "needs location, with latitude and longitude, beside automations.");
            }

            foreach (var (index, condition) in automation.If.Index())
            {
                if (condition is SunCondition && options.Location is null) binding.Report($"{at}.if[{index}].sun", "needs location, with latitude and longitude, beside automations.");
            }

            foreach (var (index, action) in automation.Do.Index())
            {
                var key = $"{at}.do[{index}]";
                if (action is PublishAction { Topic: var topic }) CheckTopic(topic, options, $"{key}.publish", binding);
                else if (action is PressAction { Entity: var id } && binding.IsSet($"{key}.snapshot") && !cameras.Contains(id)) binding.Report($"{key}.snapshot", $"there is no such camera; use one of {string.Join(", ", options.Cameras.Select(camera => camera.Name))}.");
            }
        }
    }

    /// <summary>
    /// What is below the base topic and the discovery prefix says what the agent is: an automation could forge it. Below base/automation there
    /// is room that the broker's access list for the agent covers.
    /// </summary>
    private static void CheckTopic(string topic, AgentOptions options, string path, ConfigBinding binding)
    {
        var own = options.Mqtt.Connection.EffectiveBaseTopic;
        var room = $"{own}/automation/";
        if (options.Mqtt.Connection.Host is null)
        {
            binding.Report(path, "needs mqtt.host, the broker.");
        }

        if ((IsBelow(topic, own) && !(topic.StartsWith(room, StringComparison.Ordinal) && topic[room.Length..].Contains('/'))) || IsBelow(topic, options.HomeAssistant.DiscoveryPrefix))
        {
            binding.Report($"{path}.topic", $"found \"{topic}\", which is the agent's own; use another, or one such as \"{room}porch/rung\".");
        }

        static bool IsBelow(string topic, string root) => topic == root || topic.StartsWith($"{root}/", StringComparison.Ordinal);
    }

    /// <summary>Days of the week as an array of their first three letters.</summary>
    private sealed class DaysType : ConfigType<Weekdays>
    {
        private static readonly ListType<Weekdays> List = new(
            new ChoiceType<Weekdays>(
                ("mon", Weekdays.Monday), ("tue", Weekdays.Tuesday), ("wed", Weekdays.Wednesday), ("thu", Weekdays.Thursday), ("fri", Weekdays.Friday),
                ("sat", Weekdays.Saturday), ("sun", Weekdays.Sunday)),
            "an array of days such as [\"sat\", \"sun\"]");

        public override bool HasWritableDefault(Weekdays value) => false;

        public override bool TryRead(ConfigNode node, string path, ConfigBinding binding, out Weekdays value)
        {
            value = default;
            if (!List.TryRead(node, path, binding, out var days)) return false;
            value = days.Aggregate(Weekdays.None, static (all, day) => all | day);
            return value != Weekdays.None || Refuse(node, path, binding, "at least one day", out value);
        }

        public override void WriteSchema(System.Text.Json.Utf8JsonWriter writer) => List.WriteSchema(writer);

        public override void WriteValue(System.Text.Json.Utf8JsonWriter writer, Weekdays value) => throw new NotSupportedException("Every day needs no writing.");
    }
}
