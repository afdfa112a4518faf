namespace Agent.Rtc.Rtcp;

/// <summary>NTP timestamps of RTCP (RFC 3550 §4): seconds since 1900 and a 32-bit fraction.</summary>
internal static class NtpTime
{
    private const int FractionBits = 32;

    /// <summary>Units per second of the compact form: the middle 32 bits, 16 of them fraction.</summary>
    private const int CompactUnitsPerSecond = 1 << 16;

    private static readonly DateTimeOffset s_epoch = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The 64-bit timestamp; its seconds wrap in 2036 (RFC 5905 §6).</summary>
    public static ulong From(DateTimeOffset wallClock)
    {
        var ticks = (UInt128)(wallClock - s_epoch).Ticks;
        return (ulong)((ticks << FractionBits) / TimeSpan.TicksPerSecond);
    }

    /// <summary>The middle 32 bits, which receivers send back as LSR.</summary>
    public static uint Compact(ulong timestamp) => (uint)(timestamp >> 16);

    /// <summary>A DLSR as a duration.</summary>
    public static TimeSpan FromCompactDuration(uint duration) => new(duration * TimeSpan.TicksPerSecond / CompactUnitsPerSecond);
}
