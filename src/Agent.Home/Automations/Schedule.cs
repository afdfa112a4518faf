namespace Agent.Home.Automations;

/// <summary>When the local clock shows a time, and when the sun comes and goes.</summary>
internal static class Schedule
{
    /// <summary>The longest polar day or night, in which nothing happens, and a year more than enough.</summary>
    private const int DaysAhead = 366;

    /// <summary>
    /// The first moment after another at which the machine's clock shows the time on one of the days. A time that is skipped when summer time
    /// begins counts when the clock has jumped over it; of one that comes twice the first counts.
    /// </summary>
    public static DateTimeOffset? FindNext(TimeOnly at, Weekdays days, DateTimeOffset after, TimeZoneInfo zone) =>
        FindFirst(days, after, zone, date => ToUtc(date.ToDateTime(at), zone));

    /// <summary>The first such event after a moment; <c>null</c> if there is none in a year, as at the poles.</summary>
    public static DateTimeOffset? FindNext(SunTrigger sun, GeoLocation place, DateTimeOffset after, TimeZoneInfo zone) =>
        FindFirst(sun.Days, after, zone, date => SolarPosition.Find(sun.Event, place, ToUtc(date.ToDateTime(new TimeOnly(12, 0)), zone)) + sun.Offset);

    private static DateTimeOffset? FindFirst(Weekdays days, DateTimeOffset after, TimeZoneInfo zone, Func<DateOnly, DateTimeOffset?> find)
    {
        // Yesterday's sunset with an offset may be today.
        var date = DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(after, zone).DateTime).AddDays(-1);
        for (var day = 0; day <= DaysAhead + 1; day++, date = date.AddDays(1))
        {
            if (days.Has(date) && find(date) is { } found && found > after) return found;
        }

        return null;
    }

    private static DateTimeOffset ToUtc(DateTime local, TimeZoneInfo zone)
    {
        if (zone.IsInvalidTime(local))
        {
            local = new DateTime(local.Ticks - (local.Ticks % TimeSpan.TicksPerMinute), DateTimeKind.Unspecified);
            while (zone.IsInvalidTime(local)) local = local.AddMinutes(1);
        }

        // The larger offset is the earlier moment.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
