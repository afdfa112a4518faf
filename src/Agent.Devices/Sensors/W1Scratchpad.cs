using System.Buffers.Text;

namespace Agent.Devices.Sensors;

/// <summary>
/// The nine bytes that a 1-Wire thermometer answers, and the temperature in them, as the attribute <c>w1_slave</c> shows them
/// (kernel document w1/slaves/w1_therm):
/// <code>
/// 72 01 4b 46 7f ff 0e 10 57 : crc=57 YES
/// 72 01 4b 46 7f ff 0e 10 57 t=23125
/// </code>
/// </summary>
/// <param name="Millidegrees">°C / 1000.</param>
/// <param name="IsPowerOnValue">Whether no conversion has taken place since the thermometer got its supply.</param>
internal readonly record struct W1Scratchpad(int Millidegrees, bool IsPowerOnValue)
{
    /// <summary>What thermometers hold before their first conversion (data sheet of the DS18B20, "Memory").</summary>
    public const int PowerOnMillidegrees = 85_000;

    private const int Size = 9;
    private const int CharactersPerByte = 3;

    /// <summary>Byte 6, which the data sheet calls reserved: at power-on it is this, and a conversion gives it another value.</summary>
    private const int ReservedByte = 6;
    private const byte ReservedAtPowerOn = 0x0c;

    /// <summary>The polynomial x⁸ + x⁵ + x⁴ + 1 (Maxim application note 27), bits mirrored.</summary>
    private const byte CrcPolynomial = 0x8c;

    /// <summary>Reads the attribute.</summary>
    /// <param name="text">What it holds.</param>
    /// <param name="scratchpad">The measurement, if the result is <c>null</c>.</param>
    /// <returns>What is wrong with it, in words.</returns>
    public static string? TryParse(ReadOnlySpan<byte> text, out W1Scratchpad scratchpad)
    {
        scratchpad = default;
        var newline = text.IndexOf((byte)'\n');
        if (newline < 0) return "it is cut off";
        var first = text[..newline].TrimEnd((byte)' ');
        var second = text[(newline + 1)..];
        Span<byte> bytes = stackalloc byte[Size];
        if (first.Length < Size * CharactersPerByte || !TryReadBytes(first, bytes)) return "it does not begin with nine bytes";
        if (!first.EndsWith(" YES"u8) || Crc(bytes[..^1]) != bytes[^1]) return "the CRC is wrong: is the cable too long, the pull-up resistor missing?";
        // All zeros has a right CRC, and is what a short circuit answers.
        if (!bytes.ContainsAnyExcept((byte)0)) return "it is all zeros: is the data line short-circuited?";
        var at = second.IndexOf("t="u8);
        if (at < 0 || !Utf8Parser.TryParse(second[(at + 2)..], out int millidegrees, out var length) || at + 2 + length != second.Length) return "there is no temperature in it";
        scratchpad = new W1Scratchpad(millidegrees, millidegrees == PowerOnMillidegrees && bytes[ReservedByte] == ReservedAtPowerOn);
        return null;
    }

    internal static byte Crc(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++) crc = (byte)((crc & 1) != 0 ? (crc >> 1) ^ CrcPolynomial : crc >> 1);
        }
        return crc;
    }

    private static bool TryReadBytes(ReadOnlySpan<byte> text, Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var digits = text.Slice(i * CharactersPerByte, CharactersPerByte);
            if (digits[2] != ' ' || !Utf8Parser.TryParse(digits[..2], out bytes[i], out var length, 'x') || length != 2) return false;
        }
        return true;
    }
}
