namespace Agent.Rtc.Sctp;

/// <content>How an association begins and ends.</content>
internal sealed partial class SctpAssociation
{
    /// <summary>RFC 3758 §3.1, RFC 6525 §5.1.1: what both INIT and INIT ACK say that this side understands.</summary>
    private static readonly byte[] s_extensions = [(byte)SctpChunkType.ReConfig, (byte)SctpChunkType.ForwardTsn];

    private SctpInit _initToAnswer;
    private byte[] _peerCookie = [];
    private bool _isInitDue;
    private bool _isInitAckDue;
    private bool _isCookieEchoDue;
    private bool _isCookieAckDue;
    private bool _isShutdownAckDue;

    /// <summary>
    /// An INIT to an association that stands means that the peer has lost it (RFC 9260 §5.2.2) or comes late. Over one DTLS association
    /// nobody loses it, so it comes late.
    /// </summary>
    private bool HandleInit(ReadOnlySpan<byte> value)
    {
        if (!SctpInit.TryRead(value, out var init, out _)) return false;
        if (State is not (SctpState.CookieWait or SctpState.CookieEchoed)) return true;
        _initToAnswer = init;
        _isInitAckDue = true;
        return true;
    }

    private bool HandleInitAck(ReadOnlySpan<byte> value, MonotonicTime now)
    {
        if (!SctpInit.TryRead(value, out var init, out var cookie) || cookie.IsEmpty
            || cookie.Length > SctpFormat.MaximumPacketLength - SctpFormat.CommonHeaderLength - SctpFormat.TlvHeaderLength)
        {
            return false;
        }

        if (State != SctpState.CookieWait) return true;
        _peer = init;
        _peerCookie = cookie.ToArray();
        State = SctpState.CookieEchoed;
        (_isInitDue, _isCookieEchoDue) = (false, true);
        _attempts = 0;
        _handshakeAt = now + RetransmissionTimeout.Initial;
        return true;
    }

    private bool HandleCookieEcho(ReadOnlySpan<byte> value, MonotonicTime now)
    {
        if (!SctpCookie.TryRead(value, _cookieKey, now, out var peer)) return false;
        if (State is SctpState.CookieWait or SctpState.CookieEchoed)
        {
            // RFC 9260 §5.2.4 B and D: where both began at once, the tag in the cookie is the newer one.
            _peer = peer;
            Establish();
        }

        // The COOKIE ACK before this one may be lost.
        _isCookieAckDue = peer.Tag == _peer.Tag;
        return true;
    }

    private void HandleCookieAck()
    {
        if (State == SctpState.CookieEchoed) Establish();
    }

    private void Establish()
    {
        State = SctpState.Established;
        (_isInitDue, _isInitAckDue, _isCookieEchoDue, _handshakeAt) = (false, false, false, MonotonicTime.Never);
        _peerCookie = [];
        _expectedRequest = _peer.InitialTsn;
        _sender = new SctpSender(Math.Min(StreamCount, (int)_peer.InboundStreams), _initialTsn, _peer.Window, _peer.HasForwardTsn);
        _receiver = new SctpReceiver(_handler, Math.Min(StreamCount, (int)_peer.OutboundStreams), _peer.InitialTsn);
        _handler.OnEstablished();
    }

    /// <returns>True if the packet is complete: these chunks have tags of their own, or no other chunk may come before them.</returns>
    private bool TryWriteHandshake(ref SctpPacketWriter writer, MonotonicTime now, ref uint tag)
    {
        if (_isInitAckDue)
        {
            _isInitAckDue = false;
            tag = _initToAnswer.Tag;
            WriteInit(ref writer, SctpChunkType.InitAck, now);
            return true;
        }

        if (_isInitDue)
        {
            _isInitDue = false;
            tag = 0;
            WriteInit(ref writer, SctpChunkType.Init, now);
            return true;
        }

        if (_isCookieEchoDue)
        {
            _isCookieEchoDue = false;
            _peerCookie.CopyTo(writer.Add(SctpChunkType.CookieEcho, 0, _peerCookie.Length));
            return true;
        }

        if (_isCookieAckDue)
        {
            _isCookieAckDue = false;
            writer.Add(SctpChunkType.CookieAck, 0, 0);
        }

        return false;
    }

    private void WriteInit(ref SctpPacketWriter writer, SctpChunkType type, MonotonicTime now)
    {
        var hasCookie = type == SctpChunkType.InitAck;
        var length = SctpInit.FixedLength + SctpFormat.TlvHeaderLength + SctpFormat.Pad(SctpFormat.TlvHeaderLength + s_extensions.Length)
            + (hasCookie ? SctpFormat.TlvHeaderLength + SctpFormat.Pad(SctpCookie.Length) : 0);
        var value = writer.Add(type, 0, length);
        new SctpInit(_localTag, SctpReassembly.Budget, StreamCount, StreamCount, _initialTsn, true, true).WriteFixed(value);
        var rest = SctpPacketWriter.WriteParameter(value[SctpInit.FixedLength..], (ushort)SctpParameterType.ForwardTsnSupported, []);
        rest = SctpPacketWriter.WriteParameter(rest, (ushort)SctpParameterType.SupportedExtensions, s_extensions);
        if (!hasCookie) return;
        Span<byte> cookie = stackalloc byte[SctpCookie.Length];
        SctpCookie.Write(cookie, _initToAnswer, _cookieKey, now);
        SctpPacketWriter.WriteParameter(rest, (ushort)SctpParameterType.StateCookie, cookie);
    }

    private void HandleHandshakeTimeout(MonotonicTime now)
    {
        if (++_attempts > MaximumInitRetransmissions)
        {
            Close("The peer did not answer: it offered data channels and has no SCTP association for them.");
            return;
        }

        if (State == SctpState.CookieWait) _isInitDue = true;
        else _isCookieEchoDue = true;
        _handshakeAt = now + Later(_attempts);
    }

    /// <summary>RFC 9260 §9.2: what is on its way is still delivered, then SHUTDOWN ACK says so.</summary>
    private bool HandleShutdown(MonotonicTime now)
    {
        if (State == SctpState.Established) State = SctpState.ShutdownReceived;
        else if (State == SctpState.ShutdownAckSent) _isShutdownAckDue = true;
        TryAcknowledgeShutdown(now);
        return true;
    }

    private void TryAcknowledgeShutdown(MonotonicTime now)
    {
        if (State != SctpState.ShutdownReceived || !_sender!.IsEmpty) return;
        State = SctpState.ShutdownAckSent;
        _isShutdownAckDue = true;
        _attempts = 0;
        _shutdownAt = now + _sender.Timeout;
    }

    private bool HandleShutdownComplete()
    {
        if (State == SctpState.ShutdownAckSent) Close("The peer shut the association down.");
        return true;
    }

    private void HandleShutdownTimeout(MonotonicTime now)
    {
        if (++_attempts > MaximumRetransmissions)
        {
            Close("The peer shut the association down and then was silent.");
            return;
        }

        _isShutdownAckDue = true;
        _shutdownAt = now + Later(_attempts);
    }

    private static TimeSpan Later(int attempts)
    {
        var doubled = RetransmissionTimeout.Initial * (1 << Math.Min(attempts, 8));
        return doubled < RetransmissionTimeout.Maximum ? doubled : RetransmissionTimeout.Maximum;
    }
}
