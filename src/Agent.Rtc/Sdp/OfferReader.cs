using System.Diagnostics.CodeAnalysis;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;

namespace Agent.Rtc.Sdp;

/// <summary>Takes from an offer what a sendonly H.264 answerer needs (RFC 8829 §5.3, §5.8).</summary>
internal static class OfferReader
{
    /// <summary>More than a browser with many interfaces gathers; what is beyond is left out.</summary>
    public const int MaxCandidates = 64;

    /// <summary>RFC 8839 §5.4.</summary>
    private const int MinUfragLength = 4;
    private const int MinPasswordLength = 22;
    private const int MaxCredentialLength = 256;

    /// <summary>RFC 8122 §5 hash functions that are still fit for use, with their digest lengths; the strongest is preferred.</summary>
    private static readonly (string Algorithm, int Length)[] s_hashes = [("sha-512", 64), ("sha-384", 48), ("sha-256", 32)];

    public static bool TryRead(
        SdpDescription offer, H264ProfileLevel stream, bool wantsData, [NotNullWhen(true)] out OfferTerms? terms,
        [NotNullWhen(false)] out SdpError? error)
    {
        terms = null;
        var bundle = BundleMids(offer.Session);
        if (!TryChooseVideo(offer, bundle, stream, out var video, out var format, out error))
        {
            return false;
        }

        if (video.Mid is not { } mid || !SdpSyntax.IsToken(mid))
        {
            error = SdpError.Malformed(video.Line, "m=video has no usable a=mid (RFC 8829 §5.2.1); add for example a=mid:0.");
            return false;
        }

        // RFC 8843 §7.1.3: transport attributes may stand in the BUNDLE-tagged section only, or at session level.
        var isBundled = bundle.Contains(mid);
        var tagged = isBundled ? offer.Sections.FirstOrDefault(section => section.Mid == bundle[0]) : null;
        SdpBlock[] levels = tagged is null || tagged == video ? [video, offer.Session] : [video, offer.Session, tagged];
        if (!levels.Any(level => level.Has("rtcp-mux")))
        {
            error = SdpError.Malformed(video.Line, "m=video has no a=rtcp-mux, which this agent needs (RFC 8834 §4.5); use rtcpMuxPolicy \"require\".");
            return false;
        }

        if (!TryReadCredentials(levels, out var ice, out error))
        {
            return false;
        }

        if (ice is null)
        {
            error = SdpError.Malformed(video.Line, "m=video has no a=ice-ufrag and a=ice-pwd (RFC 8839 §5.4); send the browser's local description.");
            return false;
        }

        if (!TryReadFingerprint(levels, video.Line, out var fingerprint, out error) || !TryReadRole(levels, video.Line, out var role, out error))
        {
            return false;
        }

        var data = wantsData && isBundled ? DataChannelSection.Find(offer, bundle) : null;
        var candidates = new List<SignaledCandidate>();
        var source = tagged is not null && !video.Has("candidate") ? tagged : video;
        ReadCandidates(source, candidates);
        (var extensions, format) = HeaderExtensions.Agree(video, mid, format);
        terms = new OfferTerms(
            video, mid, isBundled, offer.Session.Has("ice-lite"), Trickles(levels), ice, fingerprint, role, candidates,
            source.Has("end-of-candidates") || offer.Session.Has("end-of-candidates"), format, extensions,
            video.Has("rtcp-rsize"))
        {
            Data = data,
            BundledMids = data is null ? [mid] : [.. bundle.Where(one => one == mid || one == data.Mid)],
        };
        return true;
    }

    /// <summary>The first ice-ufrag and ice-pwd of the levels, most specific first; <c>null</c> if there are none at all.</summary>
    public static bool TryReadCredentials(IReadOnlyList<SdpBlock> levels, out IceCredentials? ice, [NotNullWhen(false)] out SdpError? error)
    {
        ice = null;
        error = null;
        foreach (var level in levels)
        {
            var ufrag = level.Find("ice-ufrag");
            var password = level.Find("ice-pwd");
            if (ufrag is null && password is null)
            {
                continue;
            }

            if (ufrag is not { } u || !SdpSyntax.IsIceChars(u.Value, MinUfragLength, MaxCredentialLength))
            {
                error = SdpError.Malformed(ufrag?.Line ?? password!.Value.Line, "a=ice-ufrag must have 4 to 256 letters, digits, + or / (RFC 8839 §5.4).");
                return false;
            }

            if (password is not { } p || !SdpSyntax.IsIceChars(p.Value, MinPasswordLength, MaxCredentialLength))
            {
                error = SdpError.Malformed(password?.Line ?? u.Line, "a=ice-pwd must have 22 to 256 letters, digits, + or / (RFC 8839 §5.4).");
                return false;
            }

            ice = new IceCredentials(u.Value, p.Value);
            return true;
        }

        return true;
    }

    /// <summary>Adds the usable candidates of one block, up to <see cref="MaxCandidates"/> in all.</summary>
    public static void ReadCandidates(SdpBlock block, List<SignaledCandidate> candidates)
    {
        foreach (var attribute in block.Attributes)
        {
            if (candidates.Count == MaxCandidates)
            {
                return;
            }

            if (attribute.Name is "candidate" && attribute.Value.Length <= CandidateSyntax.MaxLineLength
                && CandidateSyntax.TryParse(attribute.Value, out var candidate) && !candidates.Contains(candidate))
            {
                candidates.Add(candidate);
            }
        }
    }

    private static bool TryChooseVideo(
        SdpDescription offer, string[] bundle, H264ProfileLevel stream,
        [NotNullWhen(true)] out SdpBlock? video, [NotNullWhen(true)] out H264Format? format, [NotNullWhen(false)] out SdpError? error)
    {
        error = null;
        foreach (var section in offer.Sections)
        {
            // A bundle-only section has port 0 without being rejected (RFC 8843 §6).
            var isOffered = section.Port != 0 || (section.Has("bundle-only") && section.Mid is { } mid && bundle.Contains(mid));
            if (section.Media != "video" || !isOffered)
            {
                continue;
            }

            SdpError? reason = null;
            var direction = Direction(section) ?? Direction(offer.Session) ?? "sendrecv";
            if (!section.Protocol.EndsWith("RTP/SAVPF", StringComparison.Ordinal) && !section.Protocol.EndsWith("RTP/SAVP", StringComparison.Ordinal))
            {
                reason = SdpError.NotAcceptable(section.Line, $"m=video uses {section.Protocol}; offer UDP/TLS/RTP/SAVPF (RFC 8829 §5.1.2).");
            }
            else if (direction is "sendonly" or "inactive")
            {
                reason = SdpError.NotAcceptable(section.Line, $"m=video is a={direction}, and this agent only sends; offer a=recvonly or a=sendrecv.");
            }
            else if (H264FormatSelector.TrySelect(section, stream, out format, out reason))
            {
                video = section;
                return true;
            }

            error ??= reason;
        }

        video = null;
        format = null;
        error ??= new SdpError(SdpErrorKind.NotAcceptable, "The offer has no active m=video section; add a recvonly video transceiver before createOffer.");
        return false;
    }

    private static string? Direction(SdpBlock block) =>
        block.Attributes.Select(attribute => attribute.Name).FirstOrDefault(name => name is "sendrecv" or "recvonly" or "sendonly" or "inactive");

    private static string[] BundleMids(SdpBlock session)
    {
        var group = session.Attributes.FirstOrDefault(
            attribute => attribute.Name is "group" && attribute.Value.StartsWith("BUNDLE ", StringComparison.Ordinal));
        return group.Value is null ? [] : group.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..];
    }

    private static bool Trickles(SdpBlock[] levels) =>
        levels.Any(level => level.Find("ice-options") is { } options && options.Value.Split(' ').Contains("trickle"));

    private static bool TryReadFingerprint(
        SdpBlock[] levels, int videoLine, [NotNullWhen(true)] out DtlsFingerprint? fingerprint, [NotNullWhen(false)] out SdpError? error)
    {
        error = null;
        fingerprint = null;
        foreach (var level in levels)
        {
            var bestHash = s_hashes.Length;
            foreach (var attribute in level.Attributes)
            {
                if (attribute.Name is not "fingerprint")
                {
                    continue;
                }

                ReadOnlySpan<char> rest = attribute.Value;
                var algorithm = SdpSyntax.NextWord(ref rest).ToString().ToLowerInvariant();
                var hash = Array.FindIndex(s_hashes, entry => entry.Algorithm == algorithm);
                if (hash < 0)
                {
                    error ??= SdpError.Malformed(attribute.Line, "a=fingerprint uses an unsupported hash; use sha-256, sha-384 or sha-512 (RFC 8122 §5).");
                }
                else if (!TryParseDigest(rest.Trim(' '), s_hashes[hash].Length, out var digest))
                {
                    error = SdpError.Malformed(
                        attribute.Line, $"a=fingerprint:{algorithm} must have {s_hashes[hash].Length} hex bytes joined by colons (RFC 8122 §5).");
                    return false;
                }
                else if (hash < bestHash)
                {
                    bestHash = hash;
                    fingerprint = new DtlsFingerprint(algorithm, digest);
                }
            }

            if (fingerprint is not null)
            {
                error = null;
                return true;
            }
        }

        error ??= SdpError.Malformed(videoLine, "neither m=video nor the session has a=fingerprint (RFC 8122 §5); send the browser's local description.");
        return false;
    }

    private static bool TryParseDigest(ReadOnlySpan<char> text, int length, out byte[] digest)
    {
        digest = new byte[length];
        if (text.Length != (3 * length) - 1)
        {
            return false;
        }

        for (var i = 0; i < length; i++)
        {
            var high = text[3 * i];
            var low = text[(3 * i) + 1];
            if (!char.IsAsciiHexDigit(high) || !char.IsAsciiHexDigit(low) || (i < length - 1 && text[(3 * i) + 2] != ':'))
            {
                return false;
            }

            digest[i] = (byte)((Convert.FromHexString([high, low]))[0]);
        }

        return true;
    }

    /// <summary>RFC 8842 §5.3: the answerer is active where it may choose, which saves the round trip of waiting for a ClientHello.</summary>
    private static bool TryReadRole(SdpBlock[] levels, int videoLine, out DtlsRole role, [NotNullWhen(false)] out SdpError? error)
    {
        var setup = levels.Select(level => level.Find("setup")).FirstOrDefault(attribute => attribute is not null);
        (role, error) = setup?.Value switch
        {
            "actpass" or "passive" => (DtlsRole.Client, null),
            "active" => (DtlsRole.Server, null),
            _ => (default(DtlsRole), SdpError.Malformed(setup?.Line ?? videoLine, "m=video needs a=setup:actpass, active or passive (RFC 8842 §5.2).")),
        };
        return error is null;
    }
}
