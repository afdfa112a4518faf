using System.Buffers.Binary;
using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Agent.Media;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;

namespace Agent.Transport;

/// <summary>A place among the viewers.</summary>
/// <param name="SessionId">Of the session to come.</param>
/// <param name="Options">What this side signals for it.</param>
internal sealed record ReservedPlace(string SessionId, SdpAnswerOptions Options);

/// <summary>The places for viewers, as many as are allowed, and the SSRCs in use. Thread-safe.</summary>
/// <param name="maximum">Places at once.</param>
/// <param name="hubs">The cameras by name.</param>
/// <param name="fingerprint">Of the certificate that sessions present.</param>
/// <param name="gather">The present candidates.</param>
/// <param name="random">Source of ids and credentials.</param>
internal sealed class ViewerPlaces(
    int maximum, IReadOnlyDictionary<string, FrameHub> hubs, DtlsFingerprint fingerprint, Func<IReadOnlyList<IceCandidate>> gather, IRandomSource random)
{
    private const int SessionIdBytes = 18; // 144 bits; a multiple of 3 encodes without padding
    private const int CnameBytes = 12; // RFC 7022 §4.2: at least 96 bits
    private static readonly TimeSpan CameraRetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>When whoever found the agent busy may try again.</summary>
    public static readonly TimeSpan BusyRetryAfter = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<uint, string> _ssrcs = [];
    private int _taken;

    /// <summary>Takes a place; it is to be freed.</summary>
    /// <param name="camera">Whose stream is wanted.</param>
    /// <param name="place">The place, on success.</param>
    /// <param name="refusal">Why there is none, on failure.</param>
    public bool TryReserve(string camera, [NotNullWhen(true)] out ReservedPlace? place, [NotNullWhen(false)] out ViewerError? refusal)
    {
        place = null;
        if (!hubs.TryGetValue(camera, out var hub))
        {
            refusal = new(ViewerErrorKind.UnknownCamera, $"There is no camera of that name; this agent has: {string.Join(", ", hubs.Keys.Order())}.");
            return false;
        }

        if ((hub.ProfileLevelId ?? hub.StandInProfileLevelId) is not { } profileLevelId)
        {
            refusal = new(
                ViewerErrorKind.NotProducing, $"Camera \"{camera}\" delivers no pictures right now; its state is in the agent's status.", CameraRetryAfter);
            return false;
        }

        if (Interlocked.Increment(ref _taken) > maximum)
        {
            Interlocked.Decrement(ref _taken);
            refusal = new(ViewerErrorKind.Busy, $"All {maximum} viewers this agent allows are watching; close one or raise the limit.", BusyRetryAfter);
            return false;
        }

        var id = random.CreateToken(SessionIdBytes);
        var (ssrc, rtxSsrc) = (TakeSsrc(id), TakeSsrc(id));
        place = new ReservedPlace(id, new SdpAnswerOptions(
            IceCredentials.Create(random), fingerprint, gather(), profileLevelId, ssrc, rtxSsrc, random.CreateToken(CnameBytes), camera));
        refusal = null;
        return true;
    }

    /// <summary>Frees a place that no session has taken.</summary>
    public void Free(ReservedPlace place) => Free(place.Options.Ssrc, place.Options.RtxSsrc);

    /// <summary>Frees the place of the session with these SSRCs.</summary>
    public void Free(uint ssrc, uint rtxSsrc)
    {
        _ssrcs.TryRemove(ssrc, out _);
        _ssrcs.TryRemove(rtxSsrc, out _);
        Interlocked.Decrement(ref _taken);
    }

    private uint TakeSsrc(string sessionId)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        uint ssrc;
        do
        {
            random.Fill(bytes);
            ssrc = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        }
        while (ssrc == 0 || !_ssrcs.TryAdd(ssrc, sessionId)); // 0 is what broken senders use

        return ssrc;
    }
}

/// <summary>Unguessable names.</summary>
internal static class RandomTokens
{
    /// <summary>So many random bytes in the URL-safe alphabet (RFC 4648 §5), without padding.</summary>
    public static string CreateToken(this IRandomSource random, int length)
    {
        Span<byte> bytes = stackalloc byte[length];
        random.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
