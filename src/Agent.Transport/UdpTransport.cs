using Agent.Interop.Libc;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>
/// The one UDP port behind which every viewer is, IPv4 and IPv6. Each datagram comes with the local address that it was sent to, and
/// leaves from the one that the session chose. The media loop owns it; nothing here allocates per packet.
/// </summary>
internal sealed class UdpTransport : IDisposable
{
    /// <summary>Longest datagram: what fits an Ethernet frame, rounded up to keep slots apart by whole cache lines.</summary>
    internal const int MaximumDatagramSize = 1536;

    private const int ReceiveCapacity = 32;
    private const int SendCapacity = 64;
    private const int SocketBufferBytes = 2 * 1024 * 1024; // two IDR pictures of 10 kB for 100 viewers; the kernel may grant less

    private readonly UdpSocket _socket;
    private readonly ReceiveBatch _received;
    private readonly SendBatch _outgoing;
    private readonly HashSet<TransportAddress>? _accepted;
    private TransportAddress _lastLocal;
    private TransportAddress _lastRemote;

    /// <summary>Binds the port.</summary>
    /// <exception cref="InvalidOperationException">The port is taken or an address is not this machine's; says which, and the mend.</exception>
    internal UdpTransport(TransportOptions options)
    {
        var (bound, _) = ListenAddresses.Resolve(options, (ushort)options.UdpPort);
        try
        {
            _socket = UdpSocket.Bind(bound, options.UdpPort, SocketBufferBytes);
        }
        catch (LibcException error)
        {
            throw new InvalidOperationException(
                $"The media port, UDP {options.UdpPort} on {bound}, cannot be opened: {error.Message} " +
                "Choose another port, stop the program that has it (ss -ulpn shows it), or list addresses that this machine has.", error);
        }

        Port = _socket.Port;
        _accepted = ListenAddresses.Resolve(options, Port).Accepted;
        _received = new ReceiveBatch(_socket, ReceiveCapacity, MaximumDatagramSize);
        _outgoing = new SendBatch(_socket, SendCapacity, MaximumDatagramSize);
    }

    /// <summary>The bound port.</summary>
    internal ushort Port { get; }

    internal long DatagramsReceived { get; private set; }

    /// <summary>Datagrams that were too long or not for a listen address.</summary>
    internal long DatagramsRejected { get; private set; }

    internal long DatagramsSent => _outgoing.DatagramsSent;

    internal long SendErrors => _outgoing.SendErrors;

    /// <summary>False while the next datagram needs <see cref="TryFlush"/> first.</summary>
    internal bool HasRoom => _outgoing.HasRoom;

    /// <summary>Where the next datagram is to be written; <see cref="Add"/> then takes it.</summary>
    internal Span<byte> NextSlot => _outgoing.NextSlot;

    /// <summary>Names the socket to wait for.</summary>
    /// <param name="poller">Who waits.</param>
    /// <param name="forWrite">Also for room, after <see cref="TryFlush"/> was false.</param>
    /// <returns>What to ask the poller for.</returns>
    internal int Register(SocketPoller poller, bool forWrite) => poller.Add(_socket, forWrite);

    /// <summary>Takes a batch of datagrams; those of the batch before are gone.</summary>
    /// <param name="more">True if the batch was full.</param>
    /// <returns>How many <see cref="TryGetDatagram"/> may be asked for.</returns>
    internal int Receive(out bool more)
    {
        var count = _received.Receive();
        more = count == _received.Capacity;
        DatagramsReceived += count;
        return count;
    }

    /// <summary>One datagram of the batch; false if it has to be dropped.</summary>
    internal bool TryGetDatagram(int index, out Span<byte> datagram, out TransportAddress local, out TransportAddress remote)
    {
        var localAddress = _received.GetLocalAddress(index);
        if (_received.IsTruncated(index) || localAddress.IsEmpty)
        {
            DatagramsRejected++;
            datagram = default;
            local = remote = default;
            return false;
        }

        datagram = _received.GetDatagram(index);
        local = TransportAddress.FromBytes(localAddress, Port, _received.GetLocalScope(index));
        remote = TransportAddress.FromBytes(
            _received.GetRemoteAddress(index), _received.GetRemotePort(index), _received.GetRemoteScope(index));
        if (_accepted is null || _accepted.Contains(local))
            return true;
        DatagramsRejected++;
        return false;
    }

    /// <summary>Takes the datagram that was written to <see cref="NextSlot"/>.</summary>
    internal void Add(in Transmit transmit)
    {
        if (!_outgoing.IsEmpty && transmit.Remote == _lastRemote && transmit.Local == _lastLocal)
        {
            _outgoing.AddToSamePath(transmit.Length);
            return;
        }

        Span<byte> remote = stackalloc byte[16];
        Span<byte> local = stackalloc byte[16];
        var remoteLength = transmit.Remote.WriteAddress(remote);
        var localLength = transmit.Local.IsNone || transmit.Local.IsUnspecified ? 0 : transmit.Local.WriteAddress(local);
        _outgoing.Add(transmit.Length, remote[..remoteLength], transmit.Remote.Port, transmit.Remote.ScopeId, local[..localLength]);
        _lastLocal = transmit.Local;
        _lastRemote = transmit.Remote;
    }

    /// <summary>Hands the collected datagrams to the kernel.</summary>
    /// <returns>False while the socket's buffer is full; wait for writability and call again before anything is added.</returns>
    internal bool TryFlush() => _outgoing.TryFlush();

    public void Dispose() => _socket.Dispose();
}
