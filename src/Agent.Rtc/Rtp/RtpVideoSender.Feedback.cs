using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Rtp;

/// <summary>What the receiver says.</summary>
public sealed partial class RtpVideoSender
{
    /// <summary>How long a repeated NACK is ignored while no RTT is known, and the bounds to that once it is.</summary>
    private static readonly TimeSpan s_defaultHoldOff = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_minimumHoldOff = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan s_maximumHoldOff = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a frame sent can be asked for again: a few round trips, between these bounds.</summary>
    private const int HistoryRoundTrips = 4;
    private static readonly TimeSpan s_minimumHistory = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maximumHistory = TimeSpan.FromSeconds(3);

    private TimeSpan HistoryDuration => _reports.RoundTripTime is { } roundTrip
        ? new TimeSpan(Math.Clamp(HistoryRoundTrips * roundTrip.Ticks, s_minimumHistory.Ticks, s_maximumHistory.Ticks))
        : RtpSendBuffer.DefaultHistory;

    /// <summary>Takes a decrypted RTCP packet; malformed parts are counted and ignored.</summary>
    public void HandleRtcp(ReadOnlySpan<byte> packet, MonotonicTime now)
    {
        if (!RtcpReader.TryCreate(packet, _options.ReducedSizeRtcp, out var reader))
        {
            _malformedRtcp++;
            return;
        }

        while (reader.TryRead(out var part))
        {
            // SDES, APP and XR tell a sender nothing that it needs.
            var understood = part.Type switch
            {
                RtcpPacketType.SenderReport or RtcpPacketType.ReceiverReport => HandleReport(part, now),
                RtcpPacketType.TransportFeedback => HandleTransportFeedback(part, now),
                RtcpPacketType.PayloadFeedback => HandlePayloadFeedback(part, now),
                RtcpPacketType.Bye => RemoteSaidBye = true,
                _ => true,
            };
            if (!understood)
                _malformedRtcp++;
        }
    }

    private bool HandleReport(RtcpPacket packet, MonotonicTime now)
    {
        if (!RtcpReportBlock.TryFind(packet, _options.Ssrc, out var block))
            return false;

        if (block is { } found)
        {
            _reports.Handle(found, now);
            _congestion?.Link.HandleReport(_reports.FractionLost, _reports.RoundTripTime, now);
            if (_repairDelay is { } delay)
            {
                delay.HandleReport(_reports.FractionLost, _reports.RoundTripTime);
                _headers.SetPlayoutDelay(delay.Value);
            }
        }

        return true;
    }

    /// <summary>Generic NACK and transport-wide feedback; TMMBR is known and of no use here.</summary>
    private bool HandleTransportFeedback(RtcpPacket packet, MonotonicTime now)
    {
        if (!RtcpFeedback.TryParse(packet, out var feedback))
            return false;

        if (packet.Count == RtcpTransportFeedback.MessageType)
            return HandleTransportWide(feedback.ControlInformation, now);

        if (packet.Count != RtcpFeedback.GenericNack || feedback.MediaSsrc != _options.Ssrc)
            return true;

        if (!RtcpNackReader.TryCreate(feedback.ControlInformation, out var nack))
            return false;

        _nacksReceived++;
        var holdOff = _reports.RoundTripTime is { } rtt
            ? new TimeSpan(Math.Clamp(rtt.Ticks, s_minimumHoldOff.Ticks, s_maximumHoldOff.Ticks))
            : s_defaultHoldOff;
        while (nack.TryRead(out var sequenceNumber))
        {
            // The nearest one below the next: a NACK is about the past.
            var sequence = _buffer.NextSequence - (ushort)(_buffer.NextSequence - sequenceNumber);
            if (sequence >= _mendedFrom && _buffer.TryFind(sequence, out _))
                _retransmissions.Add(sequence, now, holdOff);
        }

        return true;
    }

    private bool HandleTransportWide(ReadOnlySpan<byte> controlInformation, MonotonicTime now)
    {
        if (!RtcpTransportFeedback.TryCreate(controlInformation, out var feedback))
            return false;

        if (_congestion?.HandleTransportFeedback(ref feedback, now) == true && TryMend(now))
            _heldUntil = now + s_longestHold;

        return true;
    }

    /// <summary>PLI, FIR and REMB; other application layer feedback is known and of no use here.</summary>
    private bool HandlePayloadFeedback(RtcpPacket packet, MonotonicTime now)
    {
        if (!RtcpFeedback.TryParse(packet, out var feedback))
            return false;

        if (packet.Count == RtcpFeedback.PictureLossIndication && feedback.MediaSsrc == _options.Ssrc)
        {
            _plisReceived++;
            _keyFrameRequested = true;
        }
        else if (packet.Count == RtcpReceiverEstimate.MessageType)
        {
            if (!RtcpReceiverEstimate.TryFind(feedback.ControlInformation, _options.Ssrc, out var estimate))
                return false;

            if (estimate is { } bitsPerSecond)
                _congestion?.Link.HandleReceiverEstimate(bitsPerSecond, now);
        }
        else if (packet.Count == RtcpFeedback.FullIntraRequest)
        {
            if (!RtcpFullIntraRequest.TryFind(feedback.ControlInformation, _options.Ssrc, out var sequenceNumber))
                return false;

            // The same number again is a repetition in case the first got lost (RFC 5104 §4.3.1.1).
            if (sequenceNumber is { } number && _lastFir != (feedback.SenderSsrc, number))
            {
                _lastFir = (feedback.SenderSsrc, number);
                _firsReceived++;
                _keyFrameRequested = true;
            }
        }

        return true;
    }
}
