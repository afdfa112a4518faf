namespace Agent.Rtc.Rtp;

/// <summary>The ids of the header extensions that SDP settled (RFC 8285 §5): 1 to 14, or 0 for one that is not sent.</summary>
public readonly record struct RtpExtensionIds
{
    /// <summary>The section's mid (RFC 9143 §15).</summary>
    public byte Mid { get; init; }

    /// <summary>draft-holmer-rmcat-transport-wide-cc-extensions-01 §2: a number for each packet of the session, which feedback is about.</summary>
    public byte TransportSequence { get; init; }

    /// <summary>http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time: from which receivers without the above estimate the link (REMB).</summary>
    public byte AbsoluteSendTime { get; init; }

    /// <summary>http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time: when the picture was taken, on the wall clock.</summary>
    public byte AbsoluteCaptureTime { get; init; }

    /// <summary>http://www.webrtc.org/experiments/rtp-hdrext/playout-delay: how long the receiver may hold pictures back.</summary>
    public byte PlayoutDelay { get; init; }

    /// <summary>The same without those whose value depends on the moment: a packet sent again under its number must be the same bytes.</summary>
    internal RtpExtensionIds Unchanging => new() { Mid = Mid, PlayoutDelay = PlayoutDelay };
}

/// <summary>How long a receiver may hold pictures back (playout-delay extension); both 0 asks for each picture as soon as it is decoded.</summary>
/// <param name="Minimum">0 to 40.95 s, in steps of 10 ms.</param>
/// <param name="Maximum">The same, not less than <paramref name="Minimum"/>.</param>
public readonly record struct PlayoutDelay(TimeSpan Minimum, TimeSpan Maximum)
{
    /// <summary>The unit of the two 12-bit fields.</summary>
    public const int StepMilliseconds = 10;

    /// <summary>What 12 bits hold.</summary>
    public const int LongestMilliseconds = 0xFFF * StepMilliseconds;

    /// <summary>The extension's 24 bits.</summary>
    internal uint ToBits() => (uint)(Minimum.TotalMilliseconds / StepMilliseconds) << 12 | (uint)(Maximum.TotalMilliseconds / StepMilliseconds);
}
