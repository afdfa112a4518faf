using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>When reports are due, and what the receiver's reports say about the path.</summary>
internal sealed class SenderReports
{
    /// <summary>
    /// Mean report interval. RFC 3550 §6.2 computes it from bandwidth and group size with a minimum of 5 s, which §6.2 lets a
    /// unicast session reduce; here it is fixed, one second at 1 Mbit/s being less than 0.1 % of the bandwidth.
    /// </summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>An RTT that no live session has: the report that yields it is wrong.</summary>
    private static readonly TimeSpan s_maximumRoundTripTime = TimeSpan.FromSeconds(10);

    /// <summary>Video clock (RFC 6184 §8.1), in which jitter is reported.</summary>
    private const int ClockRate = 90_000;

    /// <summary>Of which FractionLost counts the numerator (RFC 3550 §6.4.1).</summary>
    private const double FractionLostScale = 256;

    /// <summary>Reports whose LSR is still recognised; a receiver reports about as often as this side.</summary>
    private const int Remembered = 16;

    private readonly IRandomSource _random;
    private readonly (uint Compact, MonotonicTime At)[] _sent = new (uint, MonotonicTime)[Remembered];
    private int _sentCount;

    public SenderReports(IRandomSource random, MonotonicTime now)
    {
        _random = random;
        // The first report comes after half an interval (RFC 3550 §6.2).
        NextAt = now + GetRandomInterval() / 2;
    }

    public MonotonicTime NextAt { get; private set; }

    public double FractionLost { get; private set; }

    public long CumulativeLost { get; private set; }

    public TimeSpan? Jitter { get; private set; }

    public TimeSpan? RoundTripTime { get; private set; }

    /// <summary>Schedules the report after the one written now.</summary>
    public void Advance(MonotonicTime now) => NextAt = now + GetRandomInterval();

    /// <summary>Remembers an SR, so that its round-trip time does not depend on the wall clock, which may be set meanwhile.</summary>
    public void Remember(ulong ntpTimestamp, MonotonicTime now) =>
        _sent[_sentCount++ % Remembered] = (NtpTime.Compact(ntpTimestamp), now);

    /// <summary>Takes a report block on the video's SSRC.</summary>
    public void Handle(RtcpReportBlock block, MonotonicTime now)
    {
        FractionLost = block.FractionLost / FractionLostScale;
        CumulativeLost = block.CumulativeLost;
        Jitter = new TimeSpan(block.Jitter * TimeSpan.TicksPerSecond / ClockRate);
        for (var i = 0; i < Math.Min(_sentCount, Remembered); i++)
        {
            if (_sent[i].Compact != block.LastSenderReport)
                continue;

            // RFC 3550 §6.4.1: A − LSR − DLSR. DLSR is rounded, so a very short path may come out below zero.
            var roundTrip = now - _sent[i].At - NtpTime.FromCompactDuration(block.DelaySinceLastSenderReport);
            if (roundTrip < s_maximumRoundTripTime)
                RoundTripTime = roundTrip > TimeSpan.Zero ? roundTrip : TimeSpan.Zero;
        }
    }

    /// <summary>0.5 to 1.5 intervals, so that reports of many sessions do not fall together (RFC 3550 §6.2).</summary>
    private TimeSpan GetRandomInterval()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        _random.Fill(bytes);
        return Interval * (0.5 + BinaryPrimitives.ReadUInt32BigEndian(bytes) / (double)uint.MaxValue);
    }
}
