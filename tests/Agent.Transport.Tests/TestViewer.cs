using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using Agent.Rtc.Srtp;
using Agent.Transport.Dtls;

namespace Agent.Transport.Tests;

/// <summary>
/// The receiving side of a viewer on a real UDP or TCP socket and a thread of its own: ICE, DTLS server, SRTP, and RFC 6184 reassembly into
/// Annex B access units. Its ICE agent is told that TCP is UDP: this side of it connects, which the agent's never does.
/// </summary>
internal sealed class TestViewer : IDisposable
{
    private static readonly DtlsCertificate Certificate = DtlsCertificate.Create(DateTimeOffset.UtcNow);
    private static readonly DtlsContext Context = new(Certificate);

    private readonly Socket _socket;
    private readonly TransportAddress _local;
    private readonly IceCredentials _credentials = IceCredentials.Create(SystemRandomSource.Instance);
    private readonly IceAgent _ice;
    private readonly IDtlsEndpoint _dtls = Context.CreateEndpoint();
    private readonly ConcurrentQueue<Action> _requests = [];
    private readonly List<byte> _accessUnit = [];
    private readonly Thread _thread;
    private SrtpContext? _send;
    private SrtpContext? _receive;
    private bool _isDamaged = true; // until the first access unit is seen whole
    private int _lastSequenceNumber = -1;
    private uint _mediaSsrc;
    private volatile bool _stop;
    private HashSet<TransportAddress>? _relays;
    private volatile bool _isReading = true;

    private readonly bool _isTcp;
    private readonly byte[] _stream = new byte[1 << 16];
    private int _streamLength;

    private TestViewer(IceRole role, bool tcp = false)
    {
        _isTcp = tcp;
        _socket = tcp
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 1 << 15 }
            : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 1 << 20 };
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _local = TransportAddress.From(IPAddress.Loopback, ((IPEndPoint)_socket.LocalEndPoint!).Port);
        _ice = new IceAgent(role, _credentials, SystemRandomSource.Instance);
        _ice.AddLocalCandidate(new IceCandidate(IceCandidateType.Host, _local, _local, 2130706431, "1"), SystemClock.Now);
        _thread = new Thread(Run) { IsBackground = true, Name = "test viewer" };
    }

    /// <summary>Access units as they were completed.</summary>
    internal BlockingCollection<byte[]> AccessUnits { get; } = [];

    /// <summary>RTP timestamps of all access units, also of those that were damaged.</summary>
    internal ConcurrentQueue<uint> Timestamps { get; } = [];

    internal string SessionId { get; private set; } = "";

    internal ViewerAnswer Answer { get; private set; } = null!;

    internal IPEndPoint LocalEndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    internal string? Failure => _dtls.Failure;

    /// <summary>Offers to watch the test camera and starts to.</summary>
    /// <param name="gateway">The agent.</param>
    /// <param name="relayOnly">Only the agent's relayed candidates can be reached, as if a firewall were in between.</param>
    /// <param name="tcp">It connects by TCP.</param>
    internal static async Task<TestViewer> OpenAsync(IViewerGateway gateway, bool relayOnly = false, bool tcp = false)
    {
        var viewer = new TestViewer(IceRole.Controlling, tcp);
        viewer.Answer = await gateway.OpenAsync(new ViewerOffer(TestCamera.Name, viewer.Describe(), "test", "a test viewer"), default);
        Assert.Contains("a=setup:active\r\n", viewer.Answer.Answer);
        viewer._relays = relayOnly ? [] : null;
        viewer.Start(viewer.Answer.Answer);
        return viewer;
    }

    /// <summary>Takes an offer of the test camera's stream, as a WHIP server does.</summary>
    internal static async Task<TestViewer> AnswerAsync(ViewerRegistry registry, PublishOffer offer)
    {
        var viewer = new TestViewer(IceRole.Controlled);
        var answer = Encoding.UTF8.GetString(viewer.Describe()).Replace("a=setup:actpass", "a=setup:passive", StringComparison.Ordinal);
        viewer.Answer = await registry.AcceptAnswerAsync(offer, Encoding.UTF8.GetBytes(answer), "test", "a test server");
        viewer.Start(offer.Sdp);
        return viewer;
    }

    /// <summary>Sends RTCP from the viewer's thread once it is connected.</summary>
    internal void RequestKeyFrame() => _requests.Enqueue(SendPli);

    /// <summary>Says what its link carries (REMB, draft-alvestrand-rmcat-remb-03 §2.2).</summary>
    internal void SendEstimate(int bitsPerSecond) => _requests.Enqueue(() => SendRemb(bitsPerSecond));

    /// <summary>Until <see cref="ReadAgain"/> nothing is read; over TCP that stops the sender.</summary>
    internal void StopReading() => _isReading = false;

    internal void ReadAgain() => _isReading = true;

    /// <summary>The agent has closed the TCP connection.</summary>
    internal bool HasEnded { get; private set; }

    /// <summary>Closes the TCP connection.</summary>
    internal void Disconnect() => _socket.Shutdown(SocketShutdown.Both);

    /// <summary>Answers no more and sends no more, like a lost phone.</summary>
    internal void Vanish()
    {
        _stop = true;
        _thread.Join();
    }

    public void Dispose()
    {
        Vanish();
        _socket.Dispose();
        _dtls.Dispose();
        _send?.Dispose();
        _receive?.Dispose();
        AccessUnits.Dispose();
    }

    private byte[] Describe() => TestOffer.Write(_credentials, Certificate.Fingerprint, _isTcp
        ? "candidate:1 1 tcp 1518280447 127.0.0.1 9 typ host tcptype active"
        : $"candidate:1 1 udp 2130706431 127.0.0.1 {_local.Port} typ host");

    private void Start(string description)
    {
        Assert.Null(Answer.Error);
        SessionId = Answer.SessionId;
        Apply(description);
        _thread.Start();
    }

    private void Apply(string description)
    {
        string Read(string attribute) => Regex.Match(description, $"a={attribute}:([^\r]+)").Groups[1].Value;
        _ice.SetRemoteCredentials(new IceCredentials(Read("ice-ufrag"), Read("ice-pwd")));
        foreach (Match line in Regex.Matches(description, "a=candidate:[^\r]+"))
        {
            if (line.Value.Contains(" tcptype passive", StringComparison.Ordinal) != _isTcp)
                continue;
            var asUdp = line.Value.Replace(" tcp ", " udp ", StringComparison.Ordinal);
            Assert.True(SdpNegotiation.TryParseCandidate(Encoding.ASCII.GetBytes(asUdp), out var candidate));
            Assert.True(TransportAddress.TryParse(candidate!.HostName, candidate.Port, out var address));
            if (_relays is not null && candidate.Type != IceCandidateType.Relayed)
                continue;
            _relays?.Add(address);
            if (_isTcp)
                _socket.Connect(address.ToIPAddress(), address.Port);
            _ice.AddRemoteCandidate(new IceCandidate(candidate.Type, address, address, candidate.Priority, candidate.Foundation), SystemClock.Now);
        }

        var fingerprint = Read("fingerprint").Split(' ');
        var digest = Convert.FromHexString(fingerprint[1].Replace(":", "", StringComparison.Ordinal));
        _dtls.Start(DtlsRole.Server, new DtlsFingerprint(fingerprint[0], digest), SystemClock.Now);
    }

    private void Run()
    {
        var buffer = new byte[2048];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        while (!_stop)
        {
            Drain(buffer);
            var due = MonotonicTime.Min(MonotonicTime.Min(_ice.NextTimeout, _dtls.NextTimeout), SystemClock.Now + TimeSpan.FromMilliseconds(20));
            var wait = Math.Max(0, (due - SystemClock.Now).Ticks / TimeSpan.TicksPerMicrosecond);
            if (!_isReading)
            {
                Thread.Sleep(1);
            }
            else if (_socket.Poll((int)wait, SelectMode.SelectRead))
            {
                if (_isTcp)
                    ReceiveStream();
                else
                    Receive(buffer, ref from);
            }

            if (_ice.NextTimeout <= SystemClock.Now)
                _ice.HandleTimeout(SystemClock.Now);
            if (_dtls.NextTimeout <= SystemClock.Now)
                _dtls.HandleTimeout(SystemClock.Now);
            while (_receive is not null && _requests.TryDequeue(out var request))
                request();
        }
    }

    private void Receive(byte[] buffer, ref EndPoint from)
    {
        var length = _socket.ReceiveFrom(buffer, ref from);
        var source = TransportAddress.From(((IPEndPoint)from).Address, ((IPEndPoint)from).Port);
        if (_relays?.Contains(source) != false)
            Handle(buffer.AsSpan(0, length), source);
    }

    private void ReceiveStream()
    {
        var count = _socket.Receive(_stream, _streamLength, _stream.Length - _streamLength, SocketFlags.None, out var error);
        HasEnded = count == 0 || error != SocketError.Success;
        _stop |= HasEnded;
        _streamLength += count;
        var position = 0;
        var remote = (IPEndPoint)_socket.RemoteEndPoint!;
        while (PacketFraming.TryRead(_stream.AsSpan(position, _streamLength - position), out var packet, out var consumed))
        {
            Handle(packet, TransportAddress.From(remote.Address, remote.Port));
            position += consumed;
        }

        _streamLength -= position;
        Array.Copy(_stream, position, _stream, 0, _streamLength);
    }

    private void Handle(Span<byte> datagram, TransportAddress from)
    {
        const int srtpFirst = 128; // RFC 7983 §7
        const int dtlsFirst = 20;
        if (datagram[0] >= srtpFirst)
        {
            var isRtcp = (datagram[1] & 0x7F) is >= 64 and < 96; // RFC 5761 §4
            if (!isRtcp && _receive is not null && _receive.TryUnprotectRtp(datagram, out var length))
                HandleRtp(datagram[..length]);
            return;
        }

        if (datagram[0] >= dtlsFirst)
        {
            _dtls.HandleDatagram(datagram, SystemClock.Now);
            Span<byte> material = stackalloc byte[64];
            if (_receive is null && _dtls.TryExportSrtpKeyingMaterial(out var profile, material, out var length))
                (_send, _receive) = SrtpContext.FromKeyingMaterial(profile, material[..length], isClient: false);
            return;
        }

        _ice.HandleDatagram(datagram, _local, from, SystemClock.Now);
    }

    private void Drain(byte[] buffer)
    {
        while (_ice.TryDequeueTransmit(buffer, out var transmit))
            Send(buffer, transmit.Length, transmit.Remote);
        while (_ice.TryGetSelectedPath(out _, out var remote) && _dtls.TryDequeueTransmit(buffer, out var length))
            Send(buffer, length, remote);
    }

    private void Send(byte[] buffer, int length, TransportAddress remote)
    {
        if (_isTcp)
        {
            var framed = new byte[PacketFraming.HeaderLength + length];
            PacketFraming.Write(framed, buffer.AsSpan(0, length));
            _ = _socket.Send(framed, SocketFlags.None, out _); // an error is told by the next receive
            return;
        }

        _socket.SendTo(buffer.AsSpan(0, length), SocketFlags.None, new IPEndPoint(remote.ToIPAddress(), remote.Port));
    }

    private void SendPli()
    {
        // RFC 4585 §6.3.1 behind an empty receiver report (RFC 3550 §6.4.2).
        var packet = new byte[64];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x80C90001);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x81CE0002);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), 1);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), _mediaSsrc);
        Assert.True(_ice.TryGetSelectedPath(out _, out var remote));
        Send(packet, _send!.ProtectRtcp(packet, 20), remote);
    }

    private void SendRemb(int bitsPerSecond)
    {
        var packet = new byte[64];
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x80C90001);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(8), 0x8FCE0005);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), 1);
        "REMB"u8.CopyTo(packet.AsSpan(20));
        const int exponent = 8;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(24), (uint)(1 << 24 | exponent << 18 | bitsPerSecond >> exponent));
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(28), _mediaSsrc);
        Assert.True(_ice.TryGetSelectedPath(out _, out var remote));
        Send(packet, _send!.ProtectRtcp(packet, 32), remote);
    }

    private void HandleRtp(ReadOnlySpan<byte> packet)
    {
        var sequenceNumber = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        if (_lastSequenceNumber >= 0 && sequenceNumber != (ushort)(_lastSequenceNumber + 1))
            _isDamaged = true;
        _lastSequenceNumber = sequenceNumber;
        _mediaSsrc = BinaryPrimitives.ReadUInt32BigEndian(packet[8..]);
        var payload = packet[12..];
        if ((packet[0] & 0x10) != 0) // header extension
            payload = payload[(4 + (4 * BinaryPrimitives.ReadUInt16BigEndian(payload[2..])))..];
        switch (payload[0] & 0x1F)
        {
            case 24: // STAP-A
                for (var rest = payload[1..]; rest.Length > 2;)
                {
                    var size = BinaryPrimitives.ReadUInt16BigEndian(rest);
                    AddNalUnit(rest.Slice(2, size));
                    rest = rest[(2 + size)..];
                }

                break;
            case 28: // FU-A
                if ((payload[1] & 0x80) != 0)
                    AddNalUnit([(byte)((payload[0] & 0xE0) | (payload[1] & 0x1F))]);
                _accessUnit.AddRange(payload[2..]);
                break;
            default:
                AddNalUnit(payload);
                break;
        }

        if ((packet[1] & 0x80) == 0)
            return;
        Timestamps.Enqueue(BinaryPrimitives.ReadUInt32BigEndian(packet[4..]));
        if (!_isDamaged)
            AccessUnits.Add([.. _accessUnit]);
        _isDamaged = false;
        _accessUnit.Clear();
    }

    private void AddNalUnit(ReadOnlySpan<byte> nalUnit)
    {
        // The first packet ever is the first of its access unit: nothing was sent before it.
        _isDamaged &= _accessUnit.Count != 0 || _lastSequenceNumber < 0 || (nalUnit[0] & 0x1F) != 7;
        _accessUnit.AddRange([0, 0, 0, 1]);
        _accessUnit.AddRange(nalUnit);
    }
}
