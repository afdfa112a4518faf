using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Agent.Rtc.Stun;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Turn;

namespace Agent.Rtc.Tests.Turn;

/// <summary>
/// A TURN server on a simulated network, written from RFC 8656 §7 to §12 apart from the client: one realm, one user, nonces that go stale,
/// permissions and channels that expire.
/// </summary>
internal sealed class SimulatedTurnServer(TransportAddress address, TransportAddress firstRelayed, int seed) : SimulatedNode(address)
{
    public const string UserName = "agent";
    public const string Password = "north";
    private const string Realm = "example.org";
    private static readonly byte[] Key = CreateKey();

    private readonly SeededRandomSource _random = new(seed);
    private readonly Queue<(byte[] Datagram, TransportAddress From, TransportAddress To)> _outgoing = [];
    private readonly List<Allocation> _allocations = [];
    private byte[] _nonce = "first"u8.ToArray();
    private MonotonicTime _nonceUntil;
    private ushort _relayedPorts;

    /// <summary>How long a nonce is good.</summary>
    public TimeSpan NonceLifetime { get; set; } = TimeSpan.FromHours(1);

    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Answers each request of a method with an error.</summary>
    public Dictionary<ushort, int> Errors { get; } = [];

    /// <summary>ALTERNATE-SERVER of a 300.</summary>
    public TransportAddress Alternate { get; set; }

    /// <summary>Peers that get no permission (403).</summary>
    public Func<TransportAddress, bool> Denies { get; set; } = static _ => false;

    public int Allocations => _allocations.Count;

    public int StaleNonces { get; private set; }

    public int Requests { get; private set; }

    public int SendIndications { get; private set; }

    public int ChannelDatagrams { get; private set; }

    /// <summary>As if it had been killed and started again.</summary>
    public void Restart()
    {
        Addresses.RemoveAll(one => _allocations.Exists(allocation => allocation.Relayed == one));
        _allocations.Clear();
        _nonceUntil = MonotonicTime.Zero;
    }

    public override MonotonicTime NextTimeout => MonotonicTime.Never;

    public override void HandleTimeout(MonotonicTime now)
    {
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var next))
        {
            return false;
        }

        next.Datagram.CopyTo(buffer);
        transmit = new Transmit(next.Datagram.Length, next.From, next.To);
        return true;
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now)
    {
        foreach (var expired in _allocations.Where(allocation => now >= allocation.ExpiresAt).ToArray())
        {
            Delete(expired);
        }

        if (local != address)
        {
            FromPeer(datagram, _allocations.Find(allocation => allocation.Relayed == local), remote, now);
        }
        else if (ChannelData.TryParse(datagram, out var channel, out var length))
        {
            if (Find(remote) is { } allocation && allocation.Channels.TryGetValue(channel, out var bound) && now < bound.Until)
            {
                ChannelDatagrams++;
                _outgoing.Enqueue((datagram.Slice(ChannelData.HeaderLength, length).ToArray(), allocation.Relayed, bound.Peer));
            }
        }
        else if (TurnMessage.TryParse(datagram, out var message))
        {
            if (message is { Class: StunClass.Indication, Method: TurnFormat.Send })
            {
                if (Find(remote) is { } allocation && allocation.Allows(message.PeerAddress, now))
                {
                    SendIndications++;
                    _outgoing.Enqueue((datagram.Slice(message.DataOffset, message.DataLength).ToArray(), allocation.Relayed, message.PeerAddress));
                }
            }
            else if (message.Class == StunClass.Request)
            {
                Requests++;
                Answer(in message, datagram, remote, now);
            }
        }
    }

    private static byte[] CreateKey()
    {
#pragma warning disable CA5351 // RFC 8489 §9.2.2
        return MD5.HashData(Encoding.UTF8.GetBytes($"{UserName}:{Realm}:{Password}"));
#pragma warning restore CA5351
    }

    private Allocation? Find(TransportAddress client) => _allocations.Find(allocation => allocation.Client == client);

    private void Delete(Allocation allocation)
    {
        _allocations.Remove(allocation);
        Addresses.Remove(allocation.Relayed);
    }

    private void FromPeer(ReadOnlySpan<byte> data, Allocation? allocation, TransportAddress peer, MonotonicTime now)
    {
        if (allocation is null || !allocation.Allows(peer, now))
        {
            return;
        }

        var buffer = new byte[1600];
        var channel = allocation.Channels.FirstOrDefault(one => one.Value.Peer == peer && now < one.Value.Until).Key;
        if (channel != 0)
        {
            data.CopyTo(buffer);
            Send(buffer.AsSpan(0, ChannelData.Wrap(buffer, data.Length, channel, isStream: false)), allocation.Client);
            return;
        }

        var writer = new StunMessageWriter(buffer, TurnFormat.Data, StunClass.Indication, StunTransactionId.Create(_random));
        writer.WriteXorAddress(StunAttributeType.XorPeerAddress, peer);
        writer.WriteAttribute(StunAttributeType.Data, data);
        Send(buffer.AsSpan(0, writer.Length), allocation.Client);
    }

    private void Answer(in TurnMessage request, ReadOnlySpan<byte> bytes, TransportAddress client, MonotonicTime now)
    {
        if (!request.HasMessageIntegrity || now >= _nonceUntil || !request.Nonce.SequenceEqual(_nonce))
        {
            if (now >= _nonceUntil)
            {
                _nonce = new byte[12];
                _random.Fill(_nonce);
                _nonce = Encoding.ASCII.GetBytes(Convert.ToHexString(_nonce));
                _nonceUntil = now + NonceLifetime;
            }

            StaleNonces += request.HasMessageIntegrity ? 1 : 0;
            Error(in request, request.HasMessageIntegrity ? StunErrorCode.StaleNonce : StunErrorCode.Unauthenticated, client, isSigned: false);
            return;
        }

        if (!request.VerifyMessageIntegrity(Key))
        {
            Error(in request, StunErrorCode.Unauthenticated, client, isSigned: false);
            return;
        }

        if (Errors.TryGetValue(request.Method, out var code))
        {
            Error(in request, code, client, isSigned: true);
            return;
        }

        var allocation = Find(client);
        if (allocation is null != (request.Method == TurnFormat.Allocate))
        {
            if (allocation is not null && allocation.CreatedBy == request.TransactionId)
            {
                Succeed(in request, client, allocation, Lifetime); // a repeated request
            }
            else
            {
                Error(in request, StunErrorCode.AllocationMismatch, client, isSigned: true);
            }

            return;
        }

        var attributes = ReadAttributes(bytes);
        switch (request.Method)
        {
            case TurnFormat.Allocate:
                Assert.Equal(17, attributes[StunAttributeType.RequestedTransport][0]);
                allocation = new Allocation(client, firstRelayed.WithPort((ushort)(firstRelayed.Port + _relayedPorts++)), request.TransactionId) { ExpiresAt = now + Lifetime };
                _allocations.Add(allocation);
                Addresses.Add(allocation.Relayed);
                Succeed(in request, client, allocation, Lifetime);
                break;
            case TurnFormat.Refresh when request.Lifetime == TimeSpan.Zero:
                Delete(allocation!);
                Succeed(in request, client, null, TimeSpan.Zero);
                break;
            case TurnFormat.Refresh:
                allocation!.ExpiresAt = now + Lifetime;
                Succeed(in request, client, null, Lifetime);
                break;
            case TurnFormat.CreatePermission or TurnFormat.ChannelBind when Denies(request.PeerAddress):
                Error(in request, 403, client, isSigned: true);
                break;
            case TurnFormat.CreatePermission:
                allocation!.Permissions[request.PeerAddress.WithPort(0)] = now + TimeSpan.FromMinutes(5);
                Succeed(in request, client, null, null);
                break;
            case TurnFormat.ChannelBind:
                var number = BinaryPrimitives.ReadUInt16BigEndian(attributes[StunAttributeType.ChannelNumber]);
                var peer = request.PeerAddress;
                var clashes = allocation!.Channels.Any(one => now < one.Value.Until + TimeSpan.FromMinutes(5) && (one.Key == number) != (one.Value.Peer == peer));
                if (clashes || number is < 0x4000 or > 0x4FFF)
                {
                    Error(in request, StunErrorCode.BadRequest, client, isSigned: true);
                    break;
                }

                allocation.Channels[number] = (peer, now + TimeSpan.FromMinutes(10));
                allocation.Permissions[peer.WithPort(0)] = now + TimeSpan.FromMinutes(5);
                Succeed(in request, client, null, null);
                break;
        }
    }

    private static Dictionary<StunAttributeType, byte[]> ReadAttributes(ReadOnlySpan<byte> bytes)
    {
        Assert.True(StunMessage.TryParse(bytes, out var message));
        var found = new Dictionary<StunAttributeType, byte[]>();
        var attributes = message.GetAttributes();
        while (attributes.TryTake(out var type, out var value, out _))
        {
            found[type] = value.ToArray();
        }

        return found;
    }

    private void Succeed(in TurnMessage request, TransportAddress client, Allocation? allocated, TimeSpan? lifetime)
    {
        var buffer = new byte[600];
        var writer = new StunMessageWriter(buffer, request.Method, StunClass.SuccessResponse, request.TransactionId);
        if (allocated is not null)
        {
            writer.WriteXorAddress(StunAttributeType.XorRelayedAddress, allocated.Relayed);
            writer.WriteXorMappedAddress(client);
        }

        if (lifetime is { } life)
        {
            writer.WriteUInt32(StunAttributeType.Lifetime, (uint)life.TotalSeconds);
        }

        writer.WriteMessageIntegrity(Key);
        Send(buffer.AsSpan(0, writer.Length), client);
    }

    private void Error(in TurnMessage request, int code, TransportAddress client, bool isSigned)
    {
        var buffer = new byte[600];
        var writer = new StunMessageWriter(buffer, request.Method, StunClass.ErrorResponse, request.TransactionId);
        writer.WriteErrorCode(code, "No");
        if (code is StunErrorCode.Unauthenticated or StunErrorCode.StaleNonce)
        {
            writer.WriteAttribute(StunAttributeType.Realm, Encoding.ASCII.GetBytes(Realm));
            writer.WriteAttribute(StunAttributeType.Nonce, _nonce);
        }

        if (code == StunErrorCode.TryAlternate)
        {
            Span<byte> value = stackalloc byte[8];
            value[1] = StunFormat.FamilyIPv4;
            BinaryPrimitives.WriteUInt16BigEndian(value[2..], Alternate.Port);
            Alternate.WriteAddress(value[4..]);
            writer.WriteAttribute(StunAttributeType.AlternateServer, value);
        }

        if (isSigned)
        {
            writer.WriteMessageIntegrity(Key);
        }

        Send(buffer.AsSpan(0, writer.Length), client);
    }

    private void Send(ReadOnlySpan<byte> message, TransportAddress client) => _outgoing.Enqueue((message.ToArray(), address, client));

    private sealed record Allocation(TransportAddress Client, TransportAddress Relayed, StunTransactionId CreatedBy)
    {
        public MonotonicTime ExpiresAt { get; set; }

        public Dictionary<TransportAddress, MonotonicTime> Permissions { get; } = [];

        public Dictionary<ushort, (TransportAddress Peer, MonotonicTime Until)> Channels { get; } = [];

        public bool Allows(TransportAddress peer, MonotonicTime now) => Permissions.TryGetValue(peer.WithPort(0), out var until) && now < until;
    }
}
