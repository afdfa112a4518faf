namespace Agent.Rtc.Rtp;

/// <summary>What is lost beyond repair: a new picture is sooner there than what is missing of the old ones.</summary>
public sealed partial class RtpVideoSender
{
    /// <summary>Between IDRs that are to mend what the link has lost; each of them costs all other viewers.</summary>
    private static readonly TimeSpan s_mendInterval = TimeSpan.FromSeconds(2);

    /// <summary>How long a link that has collapsed is kept free for the IDR: a picture's time, and the encoder's.</summary>
    private static readonly TimeSpan s_longestHold = TimeSpan.FromMilliseconds(200);

    private MonotonicTime _mendedAt;
    private bool _isMending;

    /// <summary>The first packet that anybody still needs.</summary>
    private long _mendedFrom;

    /// <summary>Nothing is sent before.</summary>
    private MonotonicTime _heldUntil;

    /// <summary>
    /// Asks for an IDR that takes the place of all that is under way, unless one was asked for just now, or the viewer cannot follow and
    /// gets them ever less often.
    /// </summary>
    private bool TryMend(MonotonicTime now)
    {
        var cannotFollow = _overflowDelay > TimeSpan.Zero && now - _overflowedAt < s_overflowMemory;
        if (cannotFollow || (_mendedAt != default && now - _mendedAt < s_mendInterval))
            return false;

        (_mendedAt, _isMending, _keyFrameRequested) = (now, true, true);
        return true;
    }

    /// <summary>Nobody needs any more what was sent or waits ahead of the IDR that comes now.</summary>
    private void Replace()
    {
        _framesDropped += _buffer.DropAll();
        _retransmissions.Clear();
        (_isMending, _heldUntil, _mendedFrom) = (false, default, _buffer.NextSequence);
    }
}
