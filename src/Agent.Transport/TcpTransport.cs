using Agent.Interop.Libc;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>
/// Passive ICE-TCP (RFC 6544) beside <see cref="UdpTransport"/>: viewers whose network lets no UDP through connect here, to the same port
/// number. A connection belongs to a viewer from the first check on that its session has answered, which takes the session's ICE password.
/// Until then it is a stranger's and may cost little: one of <see cref="MaximumUnproven"/> (drop policy: the oldest goes), some time, some
/// bytes, and its first packet must be a check for a session there is. The media loop owns it; nothing here allocates per packet.
/// </summary>
internal sealed class TcpTransport : IDisposable
{
    /// <summary>Strangers at once. Viewers prove themselves within a round trip, so a flood finds only the slowest of them here.</summary>
    internal const int MaximumUnproven = 32;

    /// <summary>Connections of one viewer: its interfaces times the candidates it was told. Drop policy: the oldest goes.</summary>
    internal const int MaximumPerViewer = 16;

    /// <summary>How long a stranger may take: several times a connection's and a check's round trip over a satellite.</summary>
    internal static readonly TimeSpan ProofTime = TimeSpan.FromSeconds(5);

    private const int AcceptsPerTurn = 16; // so that a flood leaves time for frames and timers
    private const int ReadsPerTurn = 4;
    private static readonly TimeSpan ExhaustedPause = TimeSpan.FromSeconds(1); // polling would only tell the same again

    private readonly TcpListenSocket _listener;
    private readonly ushort _port;
    private readonly HashSet<TransportAddress>? _accepted;
    private readonly List<TcpConnection> _connections = [];
    private readonly Dictionary<NetworkPath, TcpConnection> _byPath = [];
    private MonotonicTime _listenAgainAt = MonotonicTime.Zero;
    private int _listenerIndex = -1;
    private int _count;
    private long _connectionsAccepted;
    private long _connectionsRefused;
    private long _packetsReceived;
    private long _packetsSent;
    private long _packetsDropped;

    /// <summary>Binds the number that the UDP port has.</summary>
    /// <exception cref="LibcException">The port is taken.</exception>
    internal TcpTransport(TransportOptions options, ushort port)
    {
        _port = port;
        var (bound, accepted) = ListenAddresses.Resolve(options, port);
        _accepted = accepted;
        _listener = TcpListenSocket.Bind(bound, port);
    }

    /// <summary>Any thread.</summary>
    internal TcpStatus GetStatus() => new(
        Volatile.Read(ref _count), Volatile.Read(ref _connectionsAccepted), Volatile.Read(ref _connectionsRefused), Volatile.Read(ref _packetsReceived),
        Volatile.Read(ref _packetsSent), Volatile.Read(ref _packetsDropped));

    /// <summary>When to call <see cref="HandleTimeout"/>.</summary>
    internal MonotonicTime NextTimeout
    {
        get
        {
            // Accepted in this order: the first stranger is the oldest.
            foreach (var connection in _connections)
            {
                if (connection.Owner is null)
                    return MonotonicTime.Min(connection.AcceptedAt + ProofTime, ListenAgainAt);
            }

            return ListenAgainAt;
        }
    }

    private MonotonicTime ListenAgainAt => _listenAgainAt == MonotonicTime.Zero ? MonotonicTime.Never : _listenAgainAt;

    /// <summary>Names what to wait for.</summary>
    internal void Register(SocketPoller poller)
    {
        _listenerIndex = _listenAgainAt == MonotonicTime.Zero ? poller.Add(_listener) : -1;
        foreach (var connection in _connections)
            connection.PollIndex = poller.Add(connection.Socket, connection.HasUnsent || connection.IsHolding);
    }

    /// <summary>Takes new connections, and what came on those there are.</summary>
    /// <param name="poller">As it was registered with and has waited.</param>
    /// <param name="now">The present.</param>
    /// <param name="dispatch">Gets each packet; false if no viewer is known for it.</param>
    /// <param name="writable">Called for each viewer whose connection takes data again.</param>
    internal void Receive(SocketPoller poller, MonotonicTime now, Func<Span<byte>, NetworkPath, bool> dispatch, Action<Viewer> writable)
    {
        var count = _connections.Count;
        for (var i = 0; i < count; i++)
        {
            var connection = _connections[i];
            if (connection.PollIndex < 0)
                continue;
            if (poller.IsWritable(connection.PollIndex))
            {
                connection.Flush();
                connection.IsHolding = false;
                if (connection.Owner is { } owner)
                    writable(owner);
            }

            if (poller.IsReadable(connection.PollIndex))
                Read(connection, dispatch);
        }

        if (_listenerIndex >= 0 && poller.IsReadable(_listenerIndex))
            Accept(now);
    }

    /// <summary>Sends strangers away whose time is up.</summary>
    internal void HandleTimeout(MonotonicTime now)
    {
        if (now >= _listenAgainAt)
            _listenAgainAt = MonotonicTime.Zero;
        foreach (var connection in _connections)
        {
            if (connection.Owner is null && now >= connection.AcceptedAt + ProofTime)
                connection.End("No check came in time.");
        }
    }

    /// <summary>False while media for that path has to wait, which <c>writable</c> of <see cref="Receive"/> ends.</summary>
    internal bool HasRoom(in NetworkPath path)
    {
        if (!_byPath.TryGetValue(Key(path), out var connection) || connection.EndReason is not null || !connection.HasUnsent || connection.HasRoom)
            return true; // what goes nowhere is dropped when it is sent
        connection.Flush();
        connection.IsHolding = !connection.HasRoom && connection.EndReason is null;
        return !connection.IsHolding;
    }

    /// <summary>Queues a packet for its connection, or drops and counts it.</summary>
    /// <param name="packet">Its bytes.</param>
    /// <param name="path">Both ends.</param>
    /// <param name="viewer">Whose session sends it.</param>
    internal void Send(ReadOnlySpan<byte> packet, in NetworkPath path, Viewer viewer)
    {
        if (!_byPath.TryGetValue(Key(path), out var connection) || connection.EndReason is not null)
        {
            _packetsDropped++;
            return;
        }

        if (connection.Owner is null && PathTable.IsProof(packet))
            Prove(connection, viewer);
        if (connection.TrySend(packet))
            _packetsSent++;
        else
            _packetsDropped++;
    }

    /// <summary>Hands everything queued to the kernel, as much as it takes.</summary>
    internal void Flush()
    {
        foreach (var connection in _connections)
            connection.Flush();
    }

    /// <summary>The viewer has gone: so do its connections, once what they hold is in the kernel's hands.</summary>
    internal void Close(Viewer viewer)
    {
        foreach (var connection in _connections)
        {
            if (connection.Owner == viewer)
            {
                connection.Flush();
                connection.End("The session is over.");
            }
        }
    }

    /// <summary>Closes those that are over.</summary>
    /// <param name="ended">Gets each that had a viewer, after it is closed; may send.</param>
    internal void Sweep(Action<Viewer, TcpConnection> ended)
    {
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            var connection = _connections[i];
            if (connection.EndReason is null)
                continue;
            _connections.RemoveAt(i);
            _count = _connections.Count;
            if (_byPath.TryGetValue(connection.Path, out var current) && current == connection)
                _byPath.Remove(connection.Path);
            connection.Dispose();
            _connectionsRefused += connection.Owner is null ? 1 : 0;
            if (connection.Owner is { IsRemoved: false } owner)
                ended(owner, connection);
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections)
            connection.Dispose();
        _listener.Dispose();
    }

    // A candidate's base may be without the scope that the kernel reports.
    private static NetworkPath Key(in NetworkPath path) => path with { Local = path.Local.WithScope(0) };

    private void Accept(MonotonicTime now)
    {
        for (var i = 0; i < AcceptsPerTurn; i++)
        {
            var result = _listener.Accept(out var socket);
            if (result == AcceptResult.None)
                return;
            if (result == AcceptResult.Exhausted)
            {
                _listenAgainAt = now + ExhaustedPause;
                return;
            }

            _connectionsAccepted++;
            Take(socket!, now);
        }
    }

    private void Take(TcpSocket socket, MonotonicTime now)
    {
        var local = socket.LocalAddress.IsEmpty
            ? default
            : TransportAddress.FromBytes(socket.LocalAddress, _port, socket.LocalScope).WithProtocol(TransportProtocol.Tcp);
        if (local.IsNone || (_accepted is not null && !_accepted.Contains(local.WithProtocol(TransportProtocol.Udp))))
        {
            _connectionsRefused++;
            socket.Dispose();
            return;
        }

        var remote = TransportAddress.FromBytes(socket.RemoteAddress, socket.RemotePort, socket.RemoteScope).WithProtocol(TransportProtocol.Tcp);
        var connection = new TcpConnection(socket, Key(new NetworkPath(local, remote)), now);
        var strangers = 0;
        TcpConnection? oldest = null;
        foreach (var known in _connections)
        {
            if (known.Owner is null && known.EndReason is null)
            {
                oldest ??= known;
                strangers++;
            }
        }

        if (strangers >= MaximumUnproven)
            oldest!.End("Newer ones came.");
        _connections.Add(connection);
        _count = _connections.Count;
        _byPath[connection.Path] = connection;
    }

    private void Read(TcpConnection connection, Func<Span<byte>, NetworkPath, bool> dispatch)
    {
        for (var turn = 0; turn < ReadsPerTurn && connection.EndReason is null && connection.Receive(); turn++)
        {
            while (connection.EndReason is null && connection.TryTakePacket(out var packet))
            {
                _packetsReceived++;
                if (!dispatch(packet, connection.Path) && connection.Owner is null)
                    connection.End("It was no check for a session there is.");
            }

            // The answer that proves it is sent when the session is drained, later in this turn.
            if (connection.Owner is null)
            {
                if (connection.BytesReceived > TcpConnection.MaximumUnprovenBytes)
                    connection.End("It sent much and proved nothing.");
                return;
            }
        }
    }

    private void Prove(TcpConnection connection, Viewer viewer)
    {
        connection.Prove(viewer);
        var count = 0;
        TcpConnection? oldest = null;
        foreach (var known in _connections)
        {
            if (known.Owner == viewer && known.EndReason is null)
            {
                oldest ??= known;
                count++;
            }
        }

        if (count > MaximumPerViewer)
            oldest!.End($"The viewer has more than {MaximumPerViewer} TCP connections.");
    }
}
