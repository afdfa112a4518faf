namespace Agent.Home.Automations;

/// <summary>The sun at the horizon.</summary>
public enum SunEvent
{
    Sunrise,
    Sunset,
}

/// <summary>
/// Where the sun stands: NOAA's solar calculator (gml.noaa.gov/grad/solcalc/calcdetails.html and its spreadsheet), which follows Jean Meeus,
/// Astronomical Algorithms, 2nd edition, chapters 25 and 28. NOAA gives its accuracy as a minute up to 72° of latitude, and within 10 minutes beyond.
/// </summary>
internal static class SolarPosition
{
    /// <summary>Degrees: 34' of refraction and 16' of the sun's radius, at which NOAA and almanacs have its upper edge on the horizon.</summary>
    public const double Horizon = -0.833;

    /// <summary>Julian date of 2000-01-01 12:00, from which the series count, and of the Unix epoch.</summary>
    private const double J2000 = 2451545.0;
    private const double UnixEpoch = 2440587.5;
    private const double DaysPerCentury = 36525;
    private const int MinutesPerDay = 1440;
    private const int MinutesPerDegree = 4;

    /// <summary>The sun moves little between noon and the horizon: the third round changes less than a second but at the edge of the polar day.</summary>
    private const int Rounds = 3;

    /// <summary>Sunrise or sunset of a day; <c>null</c> if the sun stays up or down around that noon.</summary>
    /// <param name="which">Which.</param>
    /// <param name="place">Seen from here.</param>
    /// <param name="noon">The day's noon by the local clock.</param>
    public static DateTimeOffset? Find(SunEvent which, GeoLocation place, DateTimeOffset noon)
    {
        var at = FindTransit(place, noon, noon);
        for (var round = 0; round < Rounds; round++)
        {
            var transit = FindTransit(place, noon, at);
            var (declination, _) = Look(at);
            var cosine = (Sin(Horizon) - (Sin(place.Latitude) * Math.Sin(declination))) / (Cos(place.Latitude) * Math.Cos(declination));
            // Written so that the poles, where the division has no result, have no event either.
            if (!(cosine is >= -1 and <= 1)) return null;
            var minutes = ToDegrees(Math.Acos(cosine)) * MinutesPerDegree;
            at = transit.AddMinutes(which == SunEvent.Sunrise ? -minutes : minutes);
        }

        return at;
    }

    /// <summary>The height of the sun's centre above the horizon, without refraction, in degrees.</summary>
    public static double FindElevation(GeoLocation place, DateTimeOffset at)
    {
        var (declination, equationOfTime) = Look(at);
        var hourAngle = ((at.UtcDateTime.TimeOfDay.TotalMinutes + equationOfTime) / MinutesPerDegree) + place.Longitude - 180;
        return ToDegrees(Math.Asin((Sin(place.Latitude) * Math.Sin(declination)) + (Cos(place.Latitude) * Math.Cos(declination) * Cos(hourAngle))));
    }

    /// <summary>When the sun crosses the meridian nearest to the noon, by the equation of time of another moment.</summary>
    private static DateTimeOffset FindTransit(GeoLocation place, DateTimeOffset noon, DateTimeOffset at)
    {
        var minutes = (MinutesPerDay / 2) - (MinutesPerDegree * place.Longitude) - Look(at).EquationOfTime;
        var transit = new DateTimeOffset(noon.UtcDateTime.Date, TimeSpan.Zero).AddMinutes(minutes);
        return transit.AddDays(Math.Round((noon - transit).TotalDays));
    }

    /// <summary>The declination in radians and the equation of time in minutes.</summary>
    private static (double Declination, double EquationOfTime) Look(DateTimeOffset at)
    {
        var t = ((at - DateTimeOffset.UnixEpoch).TotalDays + UnixEpoch - J2000) / DaysPerCentury;
        var meanLongitude = 280.46646 + (t * (36000.76983 + (t * 0.0003032)));
        var meanAnomaly = 357.52911 + (t * (35999.05029 - (0.0001537 * t)));
        var eccentricity = 0.016708634 - (t * (0.000042037 + (0.0000001267 * t)));
        var centre = (Sin(meanAnomaly) * (1.914602 - (t * (0.004817 + (0.000014 * t)))))
            + (Sin(2 * meanAnomaly) * (0.019993 - (0.000101 * t))) + (Sin(3 * meanAnomaly) * 0.000289);
        var node = 125.04 - (1934.136 * t);
        var apparentLongitude = meanLongitude + centre - 0.00569 - (0.00478 * Sin(node));
        var meanObliquity = 23 + ((26 + ((21.448 - (t * (46.815 + (t * (0.00059 - (t * 0.001813)))))) / 60)) / 60);
        var obliquity = meanObliquity + (0.00256 * Cos(node));
        var y = Math.Pow(Math.Tan(ToRadians(obliquity / 2)), 2);
        var equation = (y * Sin(2 * meanLongitude)) - (2 * eccentricity * Sin(meanAnomaly))
            + (4 * eccentricity * y * Sin(meanAnomaly) * Cos(2 * meanLongitude))
            - (0.5 * y * y * Sin(4 * meanLongitude)) - (1.25 * eccentricity * eccentricity * Sin(2 * meanAnomaly));
        return (Math.Asin(Sin(obliquity) * Sin(apparentLongitude)), MinutesPerDegree * ToDegrees(equation));
    }

    private static double Sin(double degrees) => Math.Sin(ToRadians(degrees));

    private static double Cos(double degrees) => Math.Cos(ToRadians(degrees));

    private static double ToRadians(double degrees) => degrees * Math.PI / 180;

    private static double ToDegrees(double radians) => radians * 180 / Math.PI;
}
