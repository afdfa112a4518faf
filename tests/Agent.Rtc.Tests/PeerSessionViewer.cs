using System.Buffers.Binary;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests;

/// <summary>What a browser does at the other end of a <see cref="PeerSession"/>: nominates, decrypts, asks for what is missing.</summary>
internal sealed class PeerSessionViewer : SimulatedNode
{
    internal const uint Ssrc = 0x0EC0FFEE;

    private const byte Bye = 203;
    private const int NackFormat = 1;
    private const int PliFormat = 1;
    private const byte TransportFeedback = 205;
    private const byte PayloadFeedback = 206;
    private const int PacketsBeforeFirst = 32;
    private static readonly TimeSpan NackInterval = TimeSpan.FromMilliseconds(40);

    private readonly PeerSessionScenario _scenario;
    private readonly Queue<byte[]> _outgoing = new();
    private SrtpContext? _send;
    private SrtpContext? _receive;
    private ushort _firstSequence;
    private int _firstMissing;
    private int _highest;
    private MonotonicTime _nextNack = MonotonicTime.Never;

    internal PeerSessionViewer(PeerSessionScenario scenario, SeededRandomSource random, TransportAddress address)
        : base(address)
    {
        _scenario = scenario;
        Ice = new IceAgent(IceRole.Controlling, IceCredentials.Create(random), random);
        Dtls = new PeerSessionFakeDtls(scenario.Profile) { Refuses = scenario.ViewerRefuses, IsSilent = scenario.ViewerIsSilent };
    }

    internal IceAgent Ice { get; }

    internal PeerSessionFakeDtls Dtls { get; }

    /// <summary>Packet payloads by their place after the first packet; retransmitted ones in the place of the original.</summary>
    internal SortedDictionary<int, ReceivedPacket> Packets { get; } = [];

    internal bool SawBye { get; private set; }

    internal bool SawByeBeforeCloseNotify { get; private set; }

    internal int SenderReports { get; private set; }

    internal int Undecryptable { get; private set; }

    public override MonotonicTime NextTimeout => MonotonicTime.Min(MonotonicTime.Min(Ice.NextTimeout, Dtls.NextTimeout), _nextNack);

    public override void HandleTimeout(MonotonicTime now)
    {
        Ice.HandleTimeout(now);
        Dtls.HandleTimeout(now);
        if (now >= _nextNack)
        {
            _nextNack = now + NackInterval;
            AskForMissing();
        }

        Advance(now);
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        switch (DatagramClassifier.Classify(datagram))
        {
            case DatagramKind.Stun:
                Ice.HandleDatagram(datagram, local, remote, now);
                break;
            case DatagramKind.Dtls:
                Dtls.HandleDatagram(datagram, now);
                SawByeBeforeCloseNotify |= SawBye && Dtls.State == DtlsState.Closed;
                break;
            case DatagramKind.Rtcp when _receive is not null && _receive.TryUnprotectRtcp(datagram, out var length):
                HandleRtcp(datagram[..length]);
                break;
            case DatagramKind.Rtp when _receive is not null && _receive.TryUnprotectRtp(datagram, out var length):
                HandleRtp(datagram[..length], now);
                break;
            default:
                Undecryptable++;
                break;
        }

        Advance(now);
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        if (Ice.TryDequeueTransmit(buffer, out transmit))
            return true;
        if (!Ice.TryGetSelectedPath(out var local, out var remote))
            return false;

        if (_outgoing.TryDequeue(out var datagram))
            datagram.CopyTo(buffer);
        var length = datagram?.Length ?? 0;
        transmit = new Transmit(length, local, remote);
        if (length > 0 || !Dtls.TryDequeueTransmit(buffer, out length))
            return length > 0;

        transmit = new Transmit(length, local, remote);
        return true;
    }

    /// <summary>Starts as soon as there is a path.</summary>
    internal void StartDtls(MonotonicTime now)
    {
        if (Dtls.State == DtlsState.New)
            Dtls.Start(_scenario.AgentRole == DtlsRole.Client ? DtlsRole.Server : DtlsRole.Client, new DtlsFingerprint("sha-256", new byte[32]), now);
    }

    internal void SendPli() => SendFeedback(PliFormat, PayloadFeedback, []);

    internal void SendBye()
    {
        Span<byte> bye = stackalloc byte[8];
        WriteHeader(bye, 1, Bye);
        BinaryPrimitives.WriteUInt32BigEndian(bye[4..], Ssrc);
        SendRtcp(bye);
    }

    /// <summary>The bytes of a protected NACK for one packet, to be delivered by hand.</summary>
    internal byte[] CreateNack(ushort sequence)
    {
        SendFeedback(NackFormat, TransportFeedback, [(byte)(sequence >> 8), (byte)sequence, 0, 0]);
        return _outgoing.Dequeue();
    }

    internal ushort SequenceAt(int place) => (ushort)(_firstSequence + place);

    private void Advance(MonotonicTime now)
    {
        if (Ice.State == IceConnectionState.Connected)
            StartDtls(now);
        if (_receive is not null || Dtls.State != DtlsState.Connected)
            return;

        var material = new byte[60];
        Dtls.TryExportSrtpKeyingMaterial(out var profile, material, out var length);
        (_send, _receive) = SrtpContext.FromKeyingMaterial(profile, material.AsSpan(0, length), _scenario.AgentRole == DtlsRole.Server);
        _nextNack = now + NackInterval;
    }

    private void HandleRtcp(ReadOnlySpan<byte> packet)
    {
        while (packet.Length >= 4)
        {
            SenderReports += packet[1] == 200 ? 1 : 0;
            SawBye |= packet[1] == Bye;
            packet = packet[Math.Min(packet.Length, 4 * (BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) + 1))..];
        }
    }

    private void HandleRtp(ReadOnlySpan<byte> packet, MonotonicTime now)
    {
        var payloadStart = 12 + 4 * (packet[0] & 15);
        if ((packet[0] & 0x10) != 0)
            payloadStart += 4 + 4 * BinaryPrimitives.ReadUInt16BigEndian(packet[(payloadStart + 2)..]);
        var sequence = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        var timestamp = BinaryPrimitives.ReadUInt32BigEndian(packet[4..]);
        var payload = packet[payloadStart..];
        var isRetransmission = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]) == PeerSessionScenario.RtxSsrc;
        Assert.Equal(isRetransmission ? PeerSessionScenario.RtxPayloadType : PeerSessionScenario.PayloadType, packet[1] & 0x7F);
        if (isRetransmission)
        {
            sequence = BinaryPrimitives.ReadUInt16BigEndian(payload);
            payload = payload[2..];
        }
        else if (Packets.Count == 0)
        {
            _firstSequence = sequence;
        }

        var place = (short)(sequence - _firstSequence);
        _highest = Math.Max(_highest, place);
        Packets[place] = new ReceivedPacket(timestamp, (packet[1] & 0x80) != 0, payload.ToArray(), isRetransmission, now);
    }

    private void AskForMissing()
    {
        if (Packets.Count == 0)
            return;

        // Also before the first that arrived: the very first packets may be the lost ones.
        for (var place = -PacketsBeforeFirst; place < 0; place++)
            AskFor(place);
        while (Packets.ContainsKey(_firstMissing))
            _firstMissing++;
        for (var place = _firstMissing; place < _highest; place++)
            AskFor(place);
    }

    private void AskFor(int place)
    {
        if (!Packets.ContainsKey(place))
            SendFeedback(NackFormat, TransportFeedback, [(byte)(SequenceAt(place) >> 8), (byte)SequenceAt(place), 0, 0]);
    }

    private void SendFeedback(int format, byte packetType, ReadOnlySpan<byte> information)
    {
        Span<byte> feedback = stackalloc byte[12 + information.Length];
        WriteHeader(feedback, format, packetType);
        BinaryPrimitives.WriteUInt32BigEndian(feedback[4..], Ssrc);
        BinaryPrimitives.WriteUInt32BigEndian(feedback[8..], PeerSessionScenario.VideoSsrc);
        information.CopyTo(feedback[12..]);
        SendRtcp(feedback);
    }

    /// <summary>Puts an empty receiver report in front, as compound packets have (RFC 3550 §6.1), and protects the whole.</summary>
    private void SendRtcp(ReadOnlySpan<byte> packet)
    {
        var buffer = new byte[8 + packet.Length + SrtpContext.MaximumOverhead];
        WriteHeader(buffer.AsSpan(0, 8), 0, 201);
        BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(4), Ssrc);
        packet.CopyTo(buffer.AsSpan(8));
        _outgoing.Enqueue(buffer[.._send!.ProtectRtcp(buffer, 8 + packet.Length)]);
    }

    private static void WriteHeader(Span<byte> packet, int count, byte packetType)
    {
        packet[0] = (byte)(0x80 | count);
        packet[1] = packetType;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(packet.Length / 4 - 1));
    }

    internal readonly record struct ReceivedPacket(uint Timestamp, bool Marker, byte[] Payload, bool IsRetransmission, MonotonicTime At);
}
