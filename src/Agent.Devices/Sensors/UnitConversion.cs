namespace Agent.Devices.Sensors;

/// <summary>From one unit to another of the same quantity.</summary>
/// <param name="Factor">Multiplied with.</param>
/// <param name="Offset">Added afterwards.</param>
public readonly record struct UnitConversion(double Factor, double Offset)
{
    private static readonly (string From, string To, UnitConversion Conversion)[] s_known =
    [
        ("°C", "°F", new(1.8, 32)), ("°C", "K", new(1, 273.15)),
        // NIST SP 811: conventional millimetre and inch of mercury, pound-force per square inch.
        ("hPa", "mbar", new(1, 0)), ("hPa", "Pa", new(100, 0)), ("hPa", "kPa", new(0.1, 0)), ("hPa", "mmHg", new(1 / 1.333224, 0)),
        ("hPa", "inHg", new(1 / 33.86389, 0)), ("hPa", "psi", new(1 / 68.94757, 0)),
        ("V", "mV", new(1000, 0)), ("A", "mA", new(1000, 0)), ("W", "mW", new(1000, 0)), ("W", "kW", new(1e-3, 0)),
        ("m", "cm", new(100, 0)), ("m", "mm", new(1000, 0)), ("ppm", "ppb", new(1000, 0)), ("ppm", "%", new(1e-4, 0)),
        ("Ω", "kΩ", new(1e-3, 0)), ("mS/cm", "µS/cm", new(1000, 0)), ("m/s", "km/h", new(3.6, 0)),
    ];

    /// <summary>The conversion, <c>null</c> if there is none.</summary>
    public static UnitConversion? Find(string from, string to) =>
        from == to ? new(1, 0) : Array.Find(s_known, known => known.From == from && known.To == to) is { From: not null } found ? found.Conversion : null;

    /// <summary>What a unit can be shown as, itself first.</summary>
    public static IEnumerable<string> Targets(string from) => s_known.Where(known => known.From == from).Select(known => known.To).Prepend(from);

    public double Apply(double value) => (value * Factor) + Offset;
}
