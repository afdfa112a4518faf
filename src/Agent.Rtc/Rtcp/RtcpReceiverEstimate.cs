using System.Buffers.Binary;

namespace Agent.Rtc.Rtcp;

/// <summary>REMB: what a receiver believes its link can carry (draft-alvestrand-rmcat-remb-03 §2.2).</summary>
internal static class RtcpReceiverEstimate
{
    /// <summary>FMT of application layer feedback (RFC 4585 §6.4), of which REMB is one.</summary>
    public const byte MessageType = 15;

    /// <summary>The unique identifier, the number of SSRCs, exponent and mantissa.</summary>
    private const int PrefixLength = 8;
    private const int MantissaBits = 18;
    private const uint MantissaMask = (1 << MantissaBits) - 1;

    /// <summary>Reads the estimate for one SSRC.</summary>
    /// <param name="controlInformation">The FCI.</param>
    /// <param name="ssrc">Of the video; the estimate is for the sum of all that are named.</param>
    /// <param name="bitsPerSecond"><c>null</c> if it is other application layer feedback, or about others.</param>
    /// <returns>False for a REMB that is too short for what it names.</returns>
    public static bool TryFind(ReadOnlySpan<byte> controlInformation, uint ssrc, out long? bitsPerSecond)
    {
        bitsPerSecond = null;
        if (!controlInformation.StartsWith("REMB"u8))
            return true;

        if (controlInformation.Length < PrefixLength || controlInformation.Length < PrefixLength + controlInformation[4] * sizeof(uint))
            return false;

        var bits = BinaryPrimitives.ReadUInt32BigEndian(controlInformation[4..]) & 0xFF_FFFF;
        for (var ssrcs = controlInformation.Slice(PrefixLength, controlInformation[4] * sizeof(uint)); ssrcs.Length > 0; ssrcs = ssrcs[sizeof(uint)..])
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(ssrcs) == ssrc)
                bitsPerSecond = (long)UInt128.Min((UInt128)(bits & MantissaMask) << (int)(bits >> MantissaBits), long.MaxValue);
        }

        return true;
    }
}
