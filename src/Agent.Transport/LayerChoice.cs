using Agent.Rtc;

namespace Agent.Transport;

/// <summary>What is known of a viewer's link and of what it is to carry.</summary>
/// <param name="VideoBitrate">What it carries, bit/s of video.</param>
/// <param name="QueueDelay">How long what waits for it takes to be sent.</param>
/// <param name="MainBitrate">What the main layer makes with this viewer among those it is for, bit/s.</param>
/// <param name="MainFloor">Below this, bit/s, the main layer is not worth its size.</param>
internal readonly record struct LayerLink(long VideoBitrate, TimeSpan QueueDelay, long MainBitrate, long MainFloor);

/// <summary>
/// Which of a camera's layers one viewer is given: the small one once its link has not carried the main one for a while, the main one again once it has
/// carried more than that for longer. A viewer who comes back soon is made to wait ever longer, so that a link at the edge does not swing. No clock
/// and no I/O; one for each viewer.
/// </summary>
internal sealed class LayerChoice
{
    /// <summary>No longer than frames wait before they are dropped up to an IDR of the main layer, which would cost all its viewers.</summary>
    internal static readonly TimeSpan MoveDownAfter = TimeSpan.FromSeconds(1);

    /// <summary>The same where there is no doubt: each second costs several to catch up with.</summary>
    internal static readonly TimeSpan MoveDownAtOnceAfter = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Where the main layer follows the link, to below what its size needs: an estimate that has collapsed, and what is sent again after it, take some
    /// seconds to recover, and nobody waits for that.
    /// </summary>
    internal static readonly TimeSpan MoveDownBelowFloorAfter = TimeSpan.FromSeconds(4);

    /// <summary>The estimate of a new link begins low and is raised by probes meanwhile.</summary>
    internal static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);
    internal static readonly TimeSpan MoveDownWhileSettlingAfter = TimeSpan.FromSeconds(2);

    /// <summary>As long as it takes to probe a link once more, so that one lucky probe is not enough.</summary>
    internal static readonly TimeSpan MoveUpAfter = TimeSpan.FromSeconds(4);

    internal static readonly TimeSpan LongestMoveUpAfter = TimeSpan.FromSeconds(60);

    /// <summary>A link that has carried the main layer for so long has become another one.</summary>
    internal static readonly TimeSpan Memory = TimeSpan.FromSeconds(30);

    /// <summary>Estimates of links that are used to the full go down to 85 % and up again all the time, and a tenth of them is headers.</summary>
    private const double TooThin = 0.7;

    private const double FarTooThin = 0.5;

    /// <summary>A layer that follows this very link is no further above it; its queue drains by itself.</summary>
    private const double Followed = 0.9;

    private const double WideEnough = 0.95;
    private const double FloorMargin = 1.25;

    /// <summary>A queue that stays so long at 2.5 times the link's rate, as packets are paced, holds most of a second.</summary>
    private static readonly TimeSpan s_longQueue = TimeSpan.FromMilliseconds(300);

    private MonotonicTime? _begunAt;
    private MonotonicTime? _since;
    private MonotonicTime? _movedUpAt;
    private TimeSpan _moveUpAfter = MoveUpAfter;

    internal bool WantsSmall { get; private set; }

    /// <summary>Decides anew; to be called some ten times a second, and when the viewer asks for an IDR.</summary>
    /// <param name="link">The link.</param>
    /// <param name="needsKeyFrame">The viewer needs an IDR: what was sent to it is lost or has waited for too long, and one of the layer that its link does not carry would fare no better.</param>
    /// <param name="now">The present.</param>
    /// <returns>Whether the viewer should be given the small layer.</returns>
    internal bool Update(in LayerLink link, bool needsKeyFrame, MonotonicTime now)
    {
        _begunAt ??= now;
        if (WantsSmall ? !Carries(link) : !IsTooThinFor(link))
        {
            _since = null;
            return WantsSmall;
        }

        _since ??= now;
        if (now - _since < (WantsSmall ? _moveUpAfter : GetMoveDownAfter(link, needsKeyFrame, now)))
            return WantsSmall;

        _since = null;
        if (WantsSmall)
        {
            _movedUpAt = now;
        }
        else
        {
            var longer = 2 * _moveUpAfter < LongestMoveUpAfter ? 2 * _moveUpAfter : LongestMoveUpAfter;
            _moveUpAfter = now - _movedUpAt < Memory ? longer : MoveUpAfter;
        }

        return WantsSmall = !WantsSmall;
    }

    /// <summary>There is no small layer any more.</summary>
    internal void Reset() => (WantsSmall, _since) = (false, null);

    private TimeSpan GetMoveDownAfter(in LayerLink link, bool needsKeyFrame, MonotonicTime now) =>
        !IsLeftBehind(link) ? MoveDownBelowFloorAfter
        : now - _begunAt < Settling ? MoveDownWhileSettlingAfter
        : link.VideoBitrate < FarTooThin * link.MainBitrate ? needsKeyFrame ? TimeSpan.Zero : MoveDownAtOnceAfter
        : MoveDownAfter;

    private static bool IsTooThinFor(in LayerLink link) => link.VideoBitrate < link.MainFloor || IsLeftBehind(link);

    /// <summary>The main layer is made for others.</summary>
    private static bool IsLeftBehind(in LayerLink link) =>
        link.VideoBitrate < TooThin * link.MainBitrate || (link.QueueDelay > s_longQueue && link.VideoBitrate < Followed * link.MainBitrate);

    private static bool Carries(in LayerLink link) =>
        link.VideoBitrate >= FloorMargin * link.MainFloor && link.VideoBitrate >= WideEnough * link.MainBitrate && link.QueueDelay <= s_longQueue;
}
