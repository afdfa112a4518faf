using System.Security.Cryptography;
using Agent.Rtc.DataChannels;
using Agent.Rtc.Congestion;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Rtp;
using Agent.Rtc.Sdp;
using Agent.Rtc.Srtp;

namespace Agent.Rtc;

/// <summary>
/// One viewer: ICE, DTLS, SRTP, RTP and RTCP of one peer behind one 5-tuple-agnostic datagram interface (RFC 7983 demultiplexing).
/// Sans-IO: one input, then drain with <see cref="TryDequeueTransmit"/> and <see cref="TryDequeueEvent"/> until both are false.
/// Everything belongs to the media loop; nothing in it locks, waits, or reads a clock.
/// </summary>
public sealed class PeerSession : IDisposable
{
    /// <summary>
    /// How long DTLS may take once there is a path; it is the consent lifetime of RFC 7675 §5.1, the measure of a peer that is gone.
    /// How long the search for a path may take is ICE's own affair (RFC 8863).
    /// </summary>
    public static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Remote addresses remembered as proven; the oldest gives way, so that a peer cannot grow the list.</summary>
    private const int MaximumProvenAddresses = 8;

    /// <summary>RFC 8489 §5, §18.1: message type of a Binding indication, which carries no proof of who sent it.</summary>
    private const int BindingIndication = 0x0011;

    /// <summary>The longest keying material of RFC 5764 §4.1.2 profiles in use: two keys of 16 and two salts of 14 bytes.</summary>
    private const int MaximumKeyingMaterialLength = 2 * (16 + 14);

    private readonly IceAgent _ice;
    private readonly IDtlsEndpoint _dtls;
    private readonly DtlsRole _dtlsRole;
    private readonly DtlsFingerprint _remoteFingerprint;
    private readonly RtpVideoSender _video;
    private readonly DataChannelTransport? _data;
    private readonly TransportAddress[] _provenAddresses = new TransportAddress[MaximumProvenAddresses];
    private readonly Queue<PeerEvent> _stateEvents = new(Enum.GetValues<PeerState>().Length);
    private int _nextProvenAddress;
    private MonotonicTime _handshakeDeadline = MonotonicTime.Never;
    private SrtpContext? _send;
    private SrtpContext? _receive;
    private SrtpProfile _srtpProfile;
    private TransportAddress _mediaRemote;
    private TransportAddress _closingLocal;
    private TransportAddress _closingRemote;
    private bool _keyFrameNeeded;
    private long _datagramsDropped;
    private long _framesDropped;
    private bool _disposed;

    /// <param name="negotiated">
    /// The outcome of offer and answer. Its candidates with a literal address are added here; for those with a <c>.local</c> name the
    /// caller resolves the name and calls <see cref="AddRemoteCandidate"/>, and then <see cref="SetRemoteEndOfCandidates"/> if the offer
    /// had a=end-of-candidates.
    /// </param>
    /// <param name="local">The local ICE credentials that the answer carried.</param>
    /// <param name="localCandidates">The candidates that the answer carried.</param>
    /// <param name="video">RTP parameters that the answer carried.</param>
    /// <param name="dtls">A fresh association; the session disposes it.</param>
    /// <param name="random">Source of randomness.</param>
    /// <param name="now">The present.</param>
    /// <param name="dataHandler">Uses the data channels; without it there are none.</param>
    public PeerSession(
        NegotiatedSession negotiated, IceCredentials local, IReadOnlyList<IceCandidate> localCandidates, RtpVideoSenderOptions video,
        IDtlsEndpoint dtls, IRandomSource random, MonotonicTime now, IDataChannelHandler? dataHandler = null)
    {
        ArgumentNullException.ThrowIfNull(negotiated);
        ArgumentNullException.ThrowIfNull(localCandidates);
        _dtls = dtls;
        _dtlsRole = negotiated.DtlsRole;
        _remoteFingerprint = negotiated.RemoteFingerprint;
        _video = new RtpVideoSender(video, random, now);
        _ice = new IceAgent(negotiated.IceRole, local, random);
        _ice.SetRemoteCredentials(negotiated.RemoteIce);
        foreach (var candidate in localCandidates)
            _ice.AddLocalCandidate(candidate, now);
        AddSignaledCandidates(negotiated, now);
        if (negotiated.DataChannels is { } data && dataHandler is not null)
        {
            _data = new DataChannelTransport(data, _dtlsRole, dataHandler, random);
            _dtls.DataHandler = _data.HandlePacket;
        }

        // A server has nothing to say before the peer's ClientHello, which may come before this side knows the path that it came on.
        if (_dtlsRole == DtlsRole.Server)
            _dtls.Start(_dtlsRole, _remoteFingerprint, now);
        Advance(now);
    }

    /// <summary>How far the session is.</summary>
    public PeerState State { get; private set; }

    /// <summary>Why the session is over, in words for the log and the status; <c>null</c> before.</summary>
    public string? CloseReason { get; private set; }

    /// <summary>The ufrag that STUN checks for this session carry first in USERNAME: how a shared socket finds the session.</summary>
    public string LocalUfrag => _ice.LocalCredentials.Ufrag;

    /// <summary>The data channels; <c>null</c> if none were agreed.</summary>
    public DataChannelTransport? Data => _data;

    /// <summary>
    /// Set by the owner while the TCP connection that media takes is full: only STUN messages are handed out, which may go elsewhere. What waits
    /// for too long is dropped frame by frame as on any slow path.
    /// </summary>
    public bool IsMediaHeld { get; set; }

    /// <summary>Where media goes now; false while ICE has no path.</summary>
    public bool TryGetMediaPath(out TransportAddress local, out TransportAddress remote) => _ice.TryGetSelectedPath(out local, out remote);

    /// <summary>When to call <see cref="HandleTimeout"/>; an instant in the past means at once.</summary>
    public MonotonicTime NextTimeout
    {
        get
        {
            if (State == PeerState.Closed)
                return MonotonicTime.Never;

            var next = MonotonicTime.Min(_ice.NextTimeout, _dtls.NextTimeout);
            if (State != PeerState.Connected)
                return MonotonicTime.Min(next, _handshakeDeadline);

            // Without a path (an ICE restart after consent was lost) nothing that is due could be sent.
            return !IsMediaHeld && _ice.TryGetSelectedPath(out _, out _)
                ? MonotonicTime.Min(next, MonotonicTime.Min(_video.NextTimeout, _data?.NextTimeout ?? MonotonicTime.Never))
                : next;
        }
    }

    /// <summary>Handles one datagram; it may be decrypted in place. What belongs to no protocol of the session is dropped and counted.</summary>
    /// <param name="datagram">The UDP payload.</param>
    /// <param name="local">The address it came in on.</param>
    /// <param name="remote">Its source.</param>
    /// <param name="now">The present.</param>
    public void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        var handled = State != PeerState.Closed && DatagramClassifier.Classify(datagram) switch
        {
            DatagramKind.Stun => HandleStun(datagram, local, remote, now),
            DatagramKind.Dtls => HandleDtls(datagram, remote, now),
            DatagramKind.Rtcp => HandleRtcp(datagram, local, remote, now),
            // The video is sendonly: RTP of the peer has no place to go.
            _ => false,
        };
        _datagramsDropped += handled ? 0 : 1;
        Advance(now);
    }

    /// <summary>Runs whatever is due.</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (State == PeerState.Closed)
            return;

        _ice.HandleTimeout(now);
        _dtls.HandleTimeout(now);
        if (State == PeerState.Connected)
        {
            _video.HandleTimeout(now);
            _data?.HandleTimeout(now);
        }

        Advance(now);
    }

    /// <summary>Queues a frame for the viewer; dropped and counted unless <see cref="PeerState.Connected"/>.</summary>
    public void WriteFrame(PacketizedFrame frame, MonotonicTime now)
    {
        if (State != PeerState.Connected)
        {
            _framesDropped++;
            return;
        }

        _video.WriteFrame(frame, now);
        Advance(now);
    }

    /// <inheritdoc cref="RtpVideoSender.StartOver"/>
    public void StartVideoOver() => _video.StartOver();

    /// <summary>What the encoder may make for this viewer, bit/s; <c>null</c> before it is connected, and if its link is not estimated.</summary>
    public long? VideoBitrate => State == PeerState.Connected ? _video.VideoBitrate : null;

    /// <summary>The link as it is estimated; <c>null</c> if it is not.</summary>
    public CongestionStatus? Congestion => _video.Congestion;

    /// <inheritdoc cref="RtpVideoSender.SetMaximumBitrate"/>
    public void SetMaximumBitrate(long bitsPerSecond, MonotonicTime now) => _video.SetMaximumBitrate(bitsPerSecond, now);

    /// <summary>Writes the next datagram to send into <paramref name="buffer"/> (at least 1500 bytes).</summary>
    /// <param name="buffer">Where it goes.</param>
    /// <param name="now">The present.</param>
    /// <param name="wallClock">The present as sender reports tell it.</param>
    /// <param name="transmit">How long it is and where it goes.</param>
    /// <returns>False if there is nothing to send now.</returns>
    public bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out Transmit transmit)
    {
        if (_ice.TryDequeueTransmit(buffer, out transmit))
            return true;

        // RTCP comes first: of a closing session, BYE must leave before the close_notify that ends it.
        if (!IsMediaHeld && TryGetPath(out var local, out var remote) &&
            (TryWriteRtcp(buffer, now, wallClock, out var length) || _dtls.TryDequeueTransmit(buffer, out length) ||
                TryWriteData(buffer, now, out length) || TryWriteRtp(buffer, now, wallClock, out length)))
        {
            transmit = new Transmit(length, local, remote);
            return true;
        }

        transmit = default;
        return false;
    }

    /// <summary>Takes the next event; requests for a keyframe that were not yet taken count as one.</summary>
    public bool TryDequeueEvent(out PeerEvent e)
    {
        if (_stateEvents.TryDequeue(out e))
            return true;

        e = new PeerEvent(PeerEventKind.KeyFrameNeeded, State);
        var needed = _keyFrameNeeded;
        _keyFrameNeeded = false;
        return needed;
    }

    /// <summary>A TCP connection has ended: media moves to another pair, if there is one.</summary>
    public void HandleConnectionClosed(TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        _ice.HandleConnectionClosed(local, remote, now);
        Advance(now);
    }

    /// <summary>This device has a new address: what the peer signalled is checked from it.</summary>
    public void AddLocalCandidate(IceCandidate candidate, MonotonicTime now)
    {
        _ice.AddLocalCandidate(candidate, now);
        Advance(now);
    }

    /// <summary>This device has lost an address: media moves to another pair, if there is one.</summary>
    public void RemoveLocalCandidate(TransportAddress localBase, MonotonicTime now)
    {
        _ice.RemoveLocalCandidate(localBase, now);
        Advance(now);
    }

    /// <summary>Adds a trickled candidate whose name is resolved; duplicates change nothing.</summary>
    public void AddRemoteCandidate(IceCandidate candidate, MonotonicTime now)
    {
        if (State == PeerState.Closed)
            return;

        _ice.AddRemoteCandidate(candidate, now);
        Advance(now);
    }

    /// <summary>The peer has no further candidates.</summary>
    public void SetRemoteEndOfCandidates() => _ice.SetRemoteEndOfCandidates();

    /// <summary>ICE restart with new credentials on both sides; media goes on over the old path until there is a new one.</summary>
    public void RestartIce(IceCredentials local, IceCredentials remote, MonotonicTime now)
    {
        if (State == PeerState.Closed)
            return;

        _ice.Restart(local, remote, now);
        Advance(now);
    }

    /// <summary>The session as the status shows it; allocates.</summary>
    public PeerSessionStatus GetStatus()
    {
        var video = _video.GetStatistics();
        return new PeerSessionStatus(
            State, CloseReason, _ice.SelectedPair, _ice.GetPairs(), _dtls.ProtocolVersion, GetSrtpProfileName(),
            video with { FramesDropped = video.FramesDropped + _framesDropped }, _datagramsDropped)
        {
            Data = _data?.GetStatus(),
            CandidatesRefused = _ice.CandidatesRefused,
            StunMessagesDropped = _ice.TransmitsDropped,
        };
    }

    /// <summary>Says BYE and close_notify; drain once more, then dispose.</summary>
    public void Close(string reason, MonotonicTime now)
    {
        if (State == PeerState.Closed)
            return;

        // Where ICE has lost consent there is no path any more, and so nothing more is sent (RFC 7675 §5.1).
        _ = _ice.TryGetSelectedPath(out _closingLocal, out _closingRemote);
        _ice.Close();
        _video.Close();
        _data?.Close(reason);
        _dtls.Close();
        CloseReason = reason;
        SetState(PeerState.Closed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;

        _disposed = true;
        Close("The session was disposed.", MonotonicTime.Zero);
        _dtls.Dispose();
        _send?.Dispose();
        _receive?.Dispose();
        _send = null;
        _receive = null;
    }

    private void AddSignaledCandidates(NegotiatedSession negotiated, MonotonicTime now)
    {
        var unresolved = 0;
        foreach (var candidate in negotiated.RemoteCandidates)
        {
            if (candidate.TryGetCandidate(out var known))
                _ice.AddRemoteCandidate(known, now);
            else
                unresolved++;
        }

        if (negotiated.RemoteEndOfCandidates && unresolved == 0)
            _ice.SetRemoteEndOfCandidates();
    }

    private bool HandleStun(ReadOnlySpan<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (!_ice.HandleDatagram(datagram, local, remote, now))
            return false;

        if ((datagram[0] << 8 | datagram[1]) != BindingIndication && !IsProven(remote))
        {
            _provenAddresses[_nextProvenAddress] = remote;
            _nextProvenAddress = (_nextProvenAddress + 1) % MaximumProvenAddresses;
        }

        return true;
    }

    /// <summary>
    /// Nothing authenticates the first DTLS messages, so they are taken only from an address that has proven in a STUN check that it
    /// knows this session's ICE password; anybody else could break the handshake with one datagram.
    /// </summary>
    private bool HandleDtls(ReadOnlySpan<byte> datagram, TransportAddress remote, MonotonicTime now)
    {
        if (!IsProven(remote) || _dtls.State == DtlsState.New)
            return false;

        _dtls.HandleDatagram(datagram, now);
        return true;
    }

    private bool HandleRtcp(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        if (_receive is null || !_receive.TryUnprotectRtcp(datagram, out var length))
            return false;

        _ice.HandleMedia(local, remote, now);
        _video.HandleRtcp(datagram[..length], now);
        return true;
    }

    private bool IsProven(TransportAddress remote) => !remote.IsNone && Array.IndexOf(_provenAddresses, remote) >= 0;

    /// <summary>Draws the conclusions from whatever an input has changed in the parts.</summary>
    private void Advance(MonotonicTime now)
    {
        if (State == PeerState.Closed)
            return;

        if (_ice.State == IceConnectionState.Failed)
        {
            Close($"ICE failed: {_ice.FailureReason}", now);
            return;
        }

        if (State == PeerState.Connecting && _ice.TryGetSelectedPath(out _, out _))
        {
            SetState(PeerState.Securing);
            _handshakeDeadline = now + HandshakeTimeout;
            if (_dtlsRole == DtlsRole.Client)
                _dtls.Start(_dtlsRole, _remoteFingerprint, now);
        }

        if (State == PeerState.Securing && _dtls.State == DtlsState.Connected)
            StartMedia(now);

        if (_dtls.State == DtlsState.Failed)
        {
            Close(_dtls.Failure!, now);
        }
        else if (_dtls.State == DtlsState.Closed)
        {
            Close("The viewer closed the connection (DTLS close_notify).", now);
        }
        else if (State == PeerState.Connected)
        {
            if (_video.RemoteSaidBye)
                Close("The viewer left (RTCP BYE).", now);
            else
                _keyFrameNeeded |= _video.TakeKeyFrameRequest() | IsOnNewPath(now);
        }
        else if (now >= _handshakeDeadline)
        {
            Close($"The viewer did not complete the DTLS handshake within {HandshakeTimeout.TotalSeconds} s.", now);
        }
    }

    /// <summary>
    /// True once after media has moved to another address of the peer: what went to the one before is lost, and the peer would only ask
    /// for an IDR after it has asked for all of that.
    /// </summary>
    private bool IsOnNewPath(MonotonicTime now)
    {
        if (!_ice.TryGetSelectedPath(out _, out var remote) || remote == _mediaRemote)
            return false;

        var isNew = !_mediaRemote.IsNone;
        _mediaRemote = remote;
        if (isNew)
            _video.HandleNewPath(now);

        return isNew;
    }

    private void StartMedia(MonotonicTime now)
    {
        Span<byte> material = stackalloc byte[MaximumKeyingMaterialLength];
        if (!_dtls.TryExportSrtpKeyingMaterial(out _srtpProfile, material, out var length))
            throw new InvalidOperationException("A connected DTLS association gave no SRTP keying material.");

        (_send, _receive) = SrtpContext.FromKeyingMaterial(_srtpProfile, material[..length], _dtlsRole == DtlsRole.Client);
        CryptographicOperations.ZeroMemory(material);
        SetState(PeerState.Connected);
        _keyFrameNeeded = true;
        _data?.Start(now);
    }

    private bool TryGetPath(out TransportAddress local, out TransportAddress remote)
    {
        if (State != PeerState.Closed)
            return _ice.TryGetSelectedPath(out local, out remote);

        local = _closingLocal;
        remote = _closingRemote;
        return !remote.IsNone;
    }

    private bool TryWriteRtcp(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length)
    {
        length = 0;
        if (_send is null || !_video.TryWriteRtcp(buffer[..^SrtpContext.MaximumOverhead], now, wallClock, out length))
            return false;

        length = _send.ProtectRtcp(buffer, length);
        return true;
    }

    /// <summary>The packet passes through the caller's buffer, which then takes the record that it is in.</summary>
    private bool TryWriteData(Span<byte> buffer, MonotonicTime now, out int length)
    {
        length = 0;
        return State == PeerState.Connected && _data is not null && _data.TryWritePacket(buffer, now, out length)
            && _dtls.TrySend(buffer[..length]) && _dtls.TryDequeueTransmit(buffer, out length);
    }

    private bool TryWriteRtp(Span<byte> buffer, MonotonicTime now, DateTimeOffset wallClock, out int length)
    {
        length = 0;
        if (State != PeerState.Connected || !_video.TryWriteRtp(buffer[..^SrtpContext.MaximumOverhead], now, wallClock, out length))
            return false;

        length = _send!.ProtectRtp(buffer, length);
        return true;
    }

    private string? GetSrtpProfileName() => _srtpProfile switch
    {
        SrtpProfile.AeadAes128Gcm => "AEAD_AES_128_GCM",
        SrtpProfile.AesCm128HmacSha1_80 => "AES_CM_128_HMAC_SHA1_80",
        _ => null,
    };

    private void SetState(PeerState state)
    {
        State = state;
        _stateEvents.Enqueue(new PeerEvent(PeerEventKind.StateChanged, state));
    }
}
