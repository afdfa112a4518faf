using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Congestion;

/// <summary>
/// What one viewer's link carries, in bit/s: from transport-wide feedback by delay and loss, and without it from the receiver's own
/// estimate (REMB) and the loss in its reports. When nothing at all is heard it falls (RFC 8836 §2, requirement 10).
/// </summary>
internal sealed class LinkEstimate
{
    /// <summary>Where an unknown link begins; the first probe follows at once.</summary>
    public const long Start = 1_000_000;

    /// <summary>Below this there is no picture anyway, and too few packets to see a link recover.</summary>
    public const long Minimum = 50_000;

    private const double FirstProbeFactor = 3;
    private const double ProbeFactor = 2;

    /// <summary>A probe that finds so much more than was known is followed by the next one.</summary>
    private const double ProbeGain = 1.2;

    /// <summary>From this part of the maximum on there is nothing to probe for.</summary>
    private const double NearMaximum = 0.95;

    /// <summary>Between probes that find nothing: a link that has recovered is found within this time.</summary>
    private static readonly TimeSpan s_probeInterval = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A link that collapses so soon after a probe never carried what the probe has shown: a policer lets a few packets pass. The next
    /// probe waits ever longer.
    /// </summary>
    private static readonly TimeSpan s_misled = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestProbeInterval = TimeSpan.FromSeconds(32);

    /// <summary>After one that tells nothing, and for a while after one that found more than was known: the link may carry more still.</summary>
    private static readonly TimeSpan s_probeAgainInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_rising = TimeSpan.FromSeconds(3);

    /// <summary>Queues drain first.</summary>
    private static readonly TimeSpan s_probeAfterDecrease = TimeSpan.FromSeconds(1.5);

    /// <summary>A handful of packets may have told less than the link carries.</summary>
    private static readonly TimeSpan s_probeAfterCollapse = TimeSpan.FromSeconds(2);

    /// <summary>A link that has only just lost packets carries no more, whatever a few packets say: a policer lets them pass.</summary>
    private static readonly TimeSpan s_probeAfterLoss = TimeSpan.FromSeconds(3);

    /// <summary>Packets that wait longer than this are in a queue, and loss beside it comes from its being full.</summary>
    private static readonly TimeSpan s_queued = TimeSpan.FromMilliseconds(60);

    private static readonly TimeSpan s_lossInterval = TimeSpan.FromMilliseconds(500);
    private const int MinimumLossPackets = 20;

    /// <summary>Until the receiver's first report.</summary>
    private static readonly TimeSpan s_defaultRoundTripTime = TimeSpan.FromMilliseconds(100);

    /// <summary>Receivers report at least every second (RFC 3550 §6.2 as browsers do it) and send feedback at least four times as often.</summary>
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan s_silenceInterval = TimeSpan.FromMilliseconds(500);
    private const double SilenceFactor = 0.8;

    private readonly SentPackets _sent = new();
    private readonly PacketGroups _groups = new();
    private readonly DelayTrend _trend = new();
    private readonly AcknowledgedBitrate _acknowledged = new();
    private readonly RateControl _rate;
    private readonly LossBound _loss = new();
    private readonly QueueingDelay _queueing = new();
    private readonly LinkProbe _probe = new();
    private readonly LinkCollapse _collapse = new();
    private readonly bool _hasTransportFeedback;
    private bool _usesTransportFeedback;
    private long _maximum;
    private long _wantedProbe;
    private long? _receiverEstimate;
    private TimeSpan _roundTripTime = s_defaultRoundTripTime;
    private int? _lastReference;
    private long _reference;
    private int _lostPackets;
    private int _receivedPackets;
    private MonotonicTime _lossSince;
    private long _lossFrom;
    private long _collapsedTo;
    private long _reportedLost;
    private MonotonicTime _probedAt;
    private MonotonicTime? _raisedAt;
    private TimeSpan _probeInterval = s_probeInterval;
    private MonotonicTime? _lossyAt;
    private MonotonicTime? _unheardSince;
    private MonotonicTime? _withoutFeedbackSince;
    private MonotonicTime _loweredAt;
    private long _bytesSent;

    /// <param name="hasTransportFeedback">Transport-wide feedback was agreed.</param>
    /// <param name="maximum">More is not wanted, bit/s.</param>
    /// <param name="now">The present.</param>
    public LinkEstimate(bool hasTransportFeedback, long maximum, MonotonicTime now)
    {
        (_hasTransportFeedback, _usesTransportFeedback, _maximum) = (hasTransportFeedback, hasTransportFeedback, maximum);
        (_lossSince, _probedAt, _loweredAt) = (now, now, now);
        var start = Math.Min(Start, maximum);
        _rate = new RateControl(start, now);
        if (hasTransportFeedback)
            WantProbe(start * FirstProbeFactor);
        else
            _loss.Start(start, now);

        Conclude(now);
    }

    public long BitsPerSecond { get; private set; }

    public BandwidthUsage Usage => _trend.Usage;

    public long? Acknowledged => _acknowledged.BitsPerSecond;

    /// <summary>The share of packets lost in the last interval.</summary>
    public double Loss { get; private set; }

    public int Probes => _probe.Count;

    /// <summary>Packets wait on the path.</summary>
    public bool IsQueued => _queueing.Present > s_queued;

    /// <summary>The rate of the probe being sent; 0 while there is none.</summary>
    public long ProbeRate => _probe.SendingRate;

    /// <summary>True once after feedback has shown that the link carries less than half of what it did: most of what is on its way will be lost.</summary>
    public bool TakeCollapse()
    {
        var hasCollapsed = _collapsedTo > 0;
        _collapsedTo = 0;
        return hasCollapsed;
    }

    /// <summary>More than this is not wanted, bit/s.</summary>
    public void SetMaximum(long bitsPerSecond, MonotonicTime now)
    {
        if (_maximum == bitsPerSecond)
            return;

        _maximum = bitsPerSecond;
        Conclude(now);
    }

    /// <summary>A packet with the next transport-wide sequence number was sent.</summary>
    public void NoteSent(int bytes, MonotonicTime now)
    {
        // Silence while there is nothing to report on means nothing.
        _unheardSince ??= now;
        _withoutFeedbackSince ??= now;
        _bytesSent += bytes;
        if (_wantedProbe > 0 && !_probe.IsPending)
        {
            _probe.Start(_wantedProbe, now);
            (_wantedProbe, _probedAt) = (0, now);
        }

        var cluster = _probe.Cluster;
        _sent.Add(bytes, now, cluster);
        if (cluster != 0)
            _probe.NoteSent(bytes, now);
    }

    public void HandleFeedback(ref RtcpTransportFeedback feedback, MonotonicTime now)
    {
        (_unheardSince, _withoutFeedbackSince, _usesTransportFeedback) = (null, null, _hasTransportFeedback);
        var offset = UnwrapReference(feedback.ReferenceTime);
        var next = _sent.Extend(feedback.BaseSequence);
        while (feedback.TryRead(out var number, out var arrival))
        {
            var sequence = _sent.Extend(number);
            _reportedLost += Math.Max(0, sequence - next);
            next = sequence + 1;
            if (_sent.IsKnown(sequence))
                NoteReceived(ref _sent.At(sequence), sequence, arrival + offset);
        }

        if (_collapsedTo > 0)
            Collapse(now);

        NoteLost(feedback.BaseSequence, feedback.StatusCount);
        TakeProbe(now);
        _rate.Update(_trend.Usage, _acknowledged.BitsPerSecond, _roundTripTime, now);
        if (_lostPackets + _receivedPackets >= MinimumLossPackets && now - _lossSince >= s_lossInterval)
        {
            TakeLoss((double)Math.Max(_lostPackets, 0) / Math.Max(_lostPackets + _receivedPackets, 1), now);
            (_lostPackets, _receivedPackets) = (0, 0);
        }

        Conclude(now);
    }

    /// <summary>A report block on the video has come.</summary>
    public void HandleReport(double fractionLost, TimeSpan? roundTripTime, MonotonicTime now)
    {
        _unheardSince = null;
        _roundTripTime = roundTripTime ?? _roundTripTime;
        if (!_usesTransportFeedback && now - _lossSince >= s_lossInterval)
            TakeLoss(fractionLost, now);

        Conclude(now);
    }

    /// <summary>The receiver's own estimate has come.</summary>
    public void HandleReceiverEstimate(long bitsPerSecond, MonotonicTime now)
    {
        _unheardSince = null;
        _receiverEstimate = bitsPerSecond;
        Conclude(now);
    }

    public void HandleTimeout(MonotonicTime now)
    {
        _probe.HandleTimeout(now);
        var isSilent = now - _unheardSince > s_silence;
        if (_usesTransportFeedback && !isSilent && now - _withoutFeedbackSince > s_silence)
        {
            // It was agreed and does not come; the reports do.
            _usesTransportFeedback = false;
            _loss.Start(BitsPerSecond, now);
        }

        if (!isSilent || now - _loweredAt < s_silenceInterval)
            return;

        _loweredAt = now;
        var lowered = Math.Max(Minimum, (long)(BitsPerSecond * SilenceFactor));
        _rate.Set(lowered, now);
        if (!_usesTransportFeedback)
            _loss.Start(lowered, now);

        Conclude(now);
    }

    /// <summary>The path is another one: what is known of it is of no use, but for the rate to begin with.</summary>
    public void Restart(MonotonicTime now)
    {
        _groups.Reset();
        _trend.Reset();
        _queueing.Reset();
        _collapse.Reset();
        (_probeInterval, _raisedAt) = (s_probeInterval, null);
        (_lastReference, _lostPackets, _receivedPackets, _unheardSince, _withoutFeedbackSince) = (null, 0, 0, null, null);
        if (_hasTransportFeedback)
        {
            _rate.Set(Math.Min(Start, _maximum), now);
            WantProbe(Start * FirstProbeFactor);
        }

        Conclude(now);
    }

    private void NoteReceived(ref SentPacket packet, long sequence, TimeSpan arrival)
    {
        if (packet.Fate == PacketFate.Received)
            return;

        if (packet.Fate == PacketFate.Lost)
            _lostPackets--;

        packet.Fate = PacketFate.Received;
        _receivedPackets += sequence >= _lossFrom ? 1 : 0;
        if (_collapse.TryFind(sequence, _reportedLost, packet, arrival, BitsPerSecond, out var carried))
            _collapsedTo = carried;

        _acknowledged.Add(arrival, packet.Bytes);
        _queueing.Add(packet.SentAt, arrival);
        _probe.NoteReceived(packet.Cluster, packet.Bytes, arrival);
        if (_groups.TryCompare(packet.SentAt, arrival, out var sendDelta, out var arrivalDelta))
            _trend.Update(sendDelta, arrivalDelta, arrival);
    }

    private void NoteLost(ushort first, int count)
    {
        var begin = _sent.Extend(first);
        for (var sequence = Math.Max(begin, _sent.Next - SentPackets.Capacity); sequence < begin + count; sequence++)
        {
            if (!_sent.IsKnown(sequence))
                return;

            ref var packet = ref _sent.At(sequence);
            if (packet.Fate == PacketFate.Unknown && sequence >= _lossFrom)
            {
                packet.Fate = PacketFate.Lost;
                _lostPackets++;
            }
        }
    }

    /// <summary>What is lost of that which is on its way, sent at a rate that is past, says nothing about the one from now on.</summary>
    private void Collapse(MonotonicTime now)
    {
        _rate.Collapse(_collapsedTo, now);
        _acknowledged.Set(_collapsedTo);
        _groups.Reset();
        _trend.Reset();
        _collapse.Reset();
        _probe.Cancel();
        var longer = 2 * _probeInterval < s_longestProbeInterval ? 2 * _probeInterval : s_longestProbeInterval;
        var wasMisled = now - _raisedAt < s_misled;
        _probeInterval = wasMisled ? longer : s_probeInterval;
        (_wantedProbe, _raisedAt, _probedAt) = (0, null, wasMisled ? now : now - s_probeInterval + s_probeAfterCollapse);
        (_lossFrom, _lossSince, _lostPackets, _receivedPackets, _bytesSent) = (_sent.Next, now, 0, 0, 0);
    }

    private void TakeLoss(double loss, MonotonicTime now)
    {
        var sending = (long)(_bytesSent * 8 / (now - _lossSince).TotalSeconds);
        (Loss, _lossSince, _bytesSent) = (loss, now, 0);
        if (!_loss.IsLow(loss))
            _lossyAt = now;

        _loss.Update(loss, sending, BitsPerSecond, _maximum, IsQueued, now);
    }

    private void TakeProbe(MonotonicTime now)
    {
        var usage = _trend.Usage;
        if (_probe.TryTakeResult(out var result))
        {
            var isMore = result >= ProbeGain * BitsPerSecond;
            if (usage != BandwidthUsage.Overusing && result > BitsPerSecond)
            {
                // What was seen so far, the probe's own queue with it, was seen at another rate.
                _rate.Set(Math.Min(result, _maximum), now);
                _loss.Raise(result);
                _raisedAt = isMore ? now : _raisedAt;
                _acknowledged.ExpectChange();
                _groups.Reset();
                _trend.Reset();
            }

            if (usage != BandwidthUsage.Overusing && isMore && (!_probe.HasMetEnd || result >= LinkProbe.Success * _probe.Rate) && result < _maximum)
                WantProbe(result * ProbeFactor);
        }
        else if (usage == BandwidthUsage.Normal && !_probe.IsPending && !(now - _lossyAt < s_probeAfterLoss) && BitsPerSecond < NearMaximum * _maximum
            && now - _probedAt >= (_probe.HasFailed || now - _raisedAt < s_rising ? s_probeAgainInterval : _probeInterval) && now - _rate.ReducedAt >= s_probeAfterDecrease)
        {
            WantProbe(BitsPerSecond * ProbeFactor);
        }
    }

    private void WantProbe(double bitsPerSecond) => _wantedProbe = (long)Math.Min(bitsPerSecond, _maximum);

    /// <summary>The smallest of what delay, loss and receiver allow.</summary>
    private void Conclude(MonotonicTime now)
    {
        if (_rate.BitsPerSecond > _maximum)
            _rate.Set(_maximum, now);

        if (_usesTransportFeedback)
            _loss.ReleaseAbove(_rate.BitsPerSecond, Loss);

        var estimate = _usesTransportFeedback ? _rate.BitsPerSecond : Math.Min(_maximum, _receiverEstimate ?? _maximum);
        BitsPerSecond = Math.Clamp(Math.Min(estimate, _loss.BitsPerSecond ?? estimate), Math.Min(Minimum, _maximum), _maximum);
    }

    /// <summary>What is to be added to arrivals of feedback with this reference time, so that they grow for ever.</summary>
    private TimeSpan UnwrapReference(int reference)
    {
        // 24 bits with sign, of which the difference to the last one counts.
        _reference = _lastReference is { } last ? _reference + ((reference - last) << 8 >> 8) : reference;
        _lastReference = reference;
        return new TimeSpan((_reference - reference) * RtcpTransportFeedback.ReferenceTicks);
    }
}
