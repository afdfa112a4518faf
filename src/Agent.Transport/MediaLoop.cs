using System.Net;
using System.Threading.Channels;
using Agent.Interop.Libc;
using Agent.Media;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// The one thread that owns the media socket and every <see cref="PeerSession"/>: datagrams in, timers, frames and commands, then
/// datagrams out. Others reach it by <see cref="InvokeAsync"/> (bounded; drop policy: the newest command is refused and counted) and
/// through <see cref="CameraFeed"/>. A session that throws is closed, logged and counted; the loop and the other viewers go on.
/// </summary>
internal sealed partial class MediaLoop : IDisposable
{
    /// <summary>Commands that may wait. The loop runs them thousands of times a second, so this is a burst and not a backlog.</summary>
    internal const int CommandCapacity = 256;

    private const int ReceivesPerTurn = 4; // so that a flood leaves time for frames and timers

    private readonly EventFd _wake = new();
    private readonly SocketPoller _poller = new();
    private readonly UdpTransport _transport;
    private readonly TcpTransport? _tcp;
    private readonly InterfaceAddresses _interfaces = new();
    private readonly IReadOnlyList<IPAddress> _listen;
    private IReadOnlyList<TransportAddress> _hosts;
    private readonly Func<Span<byte>, NetworkPath, bool> _dispatch;
    private readonly Action<Viewer> _markDirty;
    private readonly Action<Viewer, TcpConnection> _onConnectionEnded;
    private readonly Channel<LoopCommand> _commands = Channel.CreateBounded<LoopCommand>(
        new BoundedChannelOptions(CommandCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Dictionary<string, CameraFeed> _feeds = new(StringComparer.Ordinal);
    private readonly CameraFeed[] _feedList;
    private readonly PathTable _paths = new();
    private readonly List<Viewer> _viewers = [];
    private readonly List<Viewer> _dirty = [];
    private readonly PriorityQueue<Viewer, MonotonicTime> _timers = new();
    private readonly Action<Viewer, string> _onRemoved;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private readonly LoopCounters _counters = new();
    private readonly Func<IceServerClients> _createServers;
    private volatile IceServerClients? _servers;
    private volatile bool _stopping;
    private int _isSignaled;
    private bool _isBlocked;

    /// <param name="options">The socket.</param>
    /// <param name="hubs">The cameras by name.</param>
    /// <param name="onRemoved">Called on the loop's thread when a viewer has gone, with the reason. Must return at once.</param>
    /// <param name="logger">Where to report.</param>
    internal MediaLoop(TransportOptions options, IReadOnlyDictionary<string, FrameHub> hubs, Action<Viewer, string> onRemoved, ILogger logger)
    {
        (_transport, _tcp) = MediaPort.Open(options, logger);
        _listen = options.ListenAddresses;
        _hosts = GetHosts();
        _dispatch = Dispatch;
        _markDirty = MarkDirty;
        _onConnectionEnded = OnConnectionEnded;
        _onRemoved = onRemoved;
        _logger = logger;
        foreach (var (name, hub) in hubs)
            _feeds.Add(name, new CameraFeed(hub, options, Wake));
        _feedList = [.. _feeds.Values];
        _createServers = () => new IceServerClients(options, Port, new BackgroundWork(this, Dns.GetHostAddressesAsync), SystemRandomSource.Instance, logger);
        if (options.IceServers.Count > 0)
            _servers = _createServers();
        _thread = new Thread(Run) { Name = "media-loop", IsBackground = true };
        _thread.Start();
    }

    internal ushort Port => _transport.Port;

    /// <summary>Whether viewers may connect by TCP, to the same port.</summary>
    internal bool ListensOnTcp => _tcp is not null;

    /// <summary>Any thread: the addresses of the interfaces that are up now.</summary>
    internal IReadOnlyList<IPAddress> InterfaceAddresses => _interfaces.Current;

    /// <summary>Any thread.</summary>
    internal TcpStatus? TcpStatus => _tcp?.GetStatus();

    /// <summary>Any thread.</summary>
    internal LoopCounters Counters => _counters;

    /// <summary>Any thread: the configured STUN and TURN servers, or <c>null</c> if there are none.</summary>
    internal IceServerClients? Servers => _servers;

    /// <summary>Any thread: access units that the loop was too slow for, over all cameras.</summary>
    internal long AccessUnitsDropped => _feedList.Sum(feed => feed.Dropped);

    /// <summary>Any thread: each camera's viewers' links.</summary>
    internal IReadOnlyList<CameraLinks> GetLinks() => [.. _feedList.Select(feed => feed.Status)];

    /// <summary>The loop's: everyone who is watching.</summary>
    internal IReadOnlyList<Viewer> Viewers => _viewers;

    /// <summary>Any thread: runs work on the loop's thread, or returns false at once if the queue is full.</summary>
    internal bool TryInvoke<T>(Func<T> work, out Task<T> completion)
    {
        var command = new LoopCommand<T>(work);
        completion = command.Completion;
        if (!_commands.Writer.TryWrite(command))
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            Interlocked.Increment(ref _counters.CommandsDropped);
            return false;
        }

        Wake();
        return true;
    }

    /// <summary>Any thread: runs work on the loop's thread, waiting for room in the queue.</summary>
    internal async Task<T> InvokeAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        var command = new LoopCommand<T>(work);
        try
        {
            await _commands.Writer.WriteAsync(command, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new ObjectDisposedException(nameof(MediaLoop), "The agent is shutting down.");
        }

        Wake();
        return await command.Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The loop's: the feed of a camera that exists.</summary>
    internal CameraFeed GetFeed(string camera) => _feeds[camera];

    /// <summary>The loop's: has these TURN servers relay for one viewer.</summary>
    internal void UseServers(Viewer viewer, IReadOnlyList<IceServerOptions> servers) => (_servers ??= _createServers()).Add(servers, viewer);

    /// <summary>The loop's: calls into a session and drains it in this turn; a session that throws is removed.</summary>
    internal void Apply<TState>(Viewer viewer, TState state, Action<Viewer, TState, MonotonicTime> action)
    {
        try
        {
            action(viewer, state, SystemClock.Now);
            MarkDirty(viewer);
        }
#pragma warning disable CA1031 // a bug in one session must not end the others
        catch (Exception error)
#pragma warning restore CA1031
        {
            RemoveFaulted(viewer, error);
        }
    }

    public void Dispose()
    {
        if (_stopping)
            return;
        _stopping = true;
        _commands.Writer.TryComplete();
        Wake();
        _thread.Join();
        while (_commands.Reader.TryRead(out var command))
            command.Abandon();
        _transport.Dispose();
        _tcp?.Dispose();
        _interfaces.Dispose();
        _wake.Dispose();
    }

    private void Wake()
    {
        if (Interlocked.Exchange(ref _isSignaled, 1) == 0)
            _wake.Signal();
    }

    private void Run()
    {
        while (!_stopping)
        {
            _poller.Clear();
            var wake = _poller.Add(_wake);
            var udp = _transport.Register(_poller, forWrite: _isBlocked);
            var interfaces = _interfaces.Register(_poller);
            _tcp?.Register(_poller);
            _servers?.Register(_poller);
            _poller.Wait(GetTimeout());
            if (_poller.IsReadable(wake))
            {
                // In this order: what is queued after the exchange signals again.
                _wake.Drain();
                Interlocked.Exchange(ref _isSignaled, 0);
                RunCommands();
                PumpFrames();
            }

            if (_poller.IsReadable(interfaces) && _interfaces.Receive())
                FollowInterfaces();
            if (_poller.IsReadable(udp))
                ReceiveDatagrams();
            _tcp?.Receive(_poller, SystemClock.Now, _dispatch, _markDirty);
            if (_servers?.Receive(_poller, SystemClock.Now, _dispatch) == true)
                ResumeRelayed();
            RunTimers(SystemClock.Now);
            foreach (var feed in _feedList)
                feed.Update(SystemClock.Now);
            _servers?.HandleTimeout(SystemClock.Now);
            TakeSessionRelays();
            _tcp?.HandleTimeout(SystemClock.Now);
            if (!_isBlocked || _poller.IsWritable(udp))
                DrainViewers();
            SweepConnections();
            Publish();
        }

        CloseAll();
    }

    private TimeSpan GetTimeout()
    {
        if (!_timers.TryPeek(out _, out var next))
            next = MonotonicTime.Never;
        next = MonotonicTime.Min(next, _servers?.NextTimeout ?? MonotonicTime.Never);
        next = MonotonicTime.Min(next, _tcp?.NextTimeout ?? MonotonicTime.Never);
        if (next == MonotonicTime.Never)
            return Timeout.InfiniteTimeSpan;
        var remaining = next - SystemClock.Now;
        return remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero;
    }

    private void RunCommands()
    {
        // No more than the queue holds: commands that make commands must not starve the rest.
        for (var i = 0; i < CommandCapacity && _commands.Reader.TryRead(out var command); i++)
            command.Run();
        if (_commands.Reader.TryPeek(out _))
            Wake();
    }

    private void PumpFrames()
    {
        foreach (var feed in _feedList)
        {
            for (var i = 0; i < feed.Layers.Count; i++)
                PumpFrames(feed, feed.Layers[i]);
        }
    }

    private void PumpFrames(CameraFeed feed, LayerFeed layer)
    {
        while (layer.TryTakeFrame(out var frame))
        {
            for (var i = feed.Viewers.Count - 1; i >= 0; i--)
            {
                if (feed.IsFor(feed.Viewers[i], layer, frame!))
                    Apply(feed.Viewers[i], frame!, static (viewer, shared, now) => viewer.Session.WriteFrame(shared, now));
            }

            frame!.Release();
        }
    }

    private void ReceiveDatagrams()
    {
        var more = true;
        for (var turn = 0; more && turn < ReceivesPerTurn; turn++)
        {
            var count = _transport.Receive(out more);
            for (var i = 0; i < count; i++)
            {
                if (!_transport.TryGetDatagram(i, out var datagram, out var local, out var remote))
                    continue;
                var now = SystemClock.Now;
                if (_servers is null || !_servers.TryHandle(datagram, local, remote, now, out var relayed))
                    Dispatch(datagram, new NetworkPath(local, remote));
                else if (relayed.Length > 0)
                    Dispatch(datagram.Slice(relayed.Offset, relayed.Length), new NetworkPath(relayed.Relayed, relayed.Peer));
            }
        }
    }

    /// <summary>False if it is for no viewer.</summary>
    private bool Dispatch(Span<byte> datagram, NetworkPath path)
    {
        if (_paths.Find(datagram, path) is not { } viewer)
        {
            _counters.CountUnmatched();
            return false;
        }

        try
        {
            viewer.Session.HandleDatagram(datagram, path.Local, path.Remote, SystemClock.Now);
            MarkDirty(viewer);
        }
#pragma warning disable CA1031 // a bug in one session must not end the others
        catch (Exception error)
#pragma warning restore CA1031
        {
            RemoveFaulted(viewer, error);
        }

        return true;
    }

    /// <summary>A stream to a TURN server has room again for what its viewers' sessions hold.</summary>
    private void ResumeRelayed()
    {
        foreach (var viewer in _viewers)
        {
            if (viewer.Session.IsMediaHeld)
                MarkDirty(viewer);
        }
    }

    /// <summary>A viewer whose own TURN server has given a relay may send by that.</summary>
    private void TakeSessionRelays()
    {
        while (_servers is not null && _servers.TryTakeSessionRelay(out var viewer, out var candidate))
        {
            if (!viewer.IsRemoved)
                Apply(viewer, candidate, static (one, relayed, now) => one.Session.AddLocalCandidate(relayed, now));
        }
    }

    private void SendToServers()
    {
        while (_servers is not null && !_isBlocked && (_transport.HasRoom || _transport.TryFlush()))
        {
            if (!_servers.TryDequeueTransmit(_transport.NextSlot, SystemClock.Now, out var transmit))
                break;
            _transport.Add(transmit);
        }

        if (_servers?.Flush(SystemClock.Now) == true)
            ResumeRelayed();
    }

    /// <summary>Running sessions learn at once of addresses that have come and gone; what they send about it leaves in this turn.</summary>
    private void FollowInterfaces()
    {
        var before = _hosts;
        _hosts = GetHosts();
        var gone = before.Except(_hosts).ToList();
        var come = _hosts.Except(before).ToList();
        if (gone.Count + come.Count == 0)
            return;
        TransportLog.AddressesChanged(_logger, string.Join(", ", _hosts.Where(one => !one.IsTcp).Select(one => one.ToIPAddress())));
        _servers?.HandleAddressChange(gone, SystemClock.Now);
        foreach (var viewer in _viewers.ToArray())
        {
            Apply(viewer, (gone, come), static (one, change, now) =>
            {
                foreach (var address in change.come)
                    one.Session.AddLocalCandidate(IceCandidate.CreateHost(address), now);
                foreach (var address in change.gone)
                    one.Session.RemoveLocalCandidate(address, now);
            });
        }
    }

    /// <summary>Present host candidates' addresses, of both protocols.</summary>
    private List<TransportAddress> GetHosts()
    {
        List<TransportAddress> hosts = [.. LocalAddresses.GetCandidates(_listen, _interfaces.Current, Port).Select(one => one.Address)];
        return _tcp is null ? hosts : [.. hosts, .. hosts.Select(one => one.WithProtocol(TransportProtocol.Tcp))];
    }

    private void SweepConnections()
    {
        _tcp?.Sweep(_onConnectionEnded);
        if (_dirty.Count > 0 && !_isBlocked)
            DrainViewers();
    }

    private void OnConnectionEnded(Viewer viewer, TcpConnection connection) =>
        Apply(viewer, connection.Path, static (one, path, now) => one.Session.HandleConnectionClosed(path.Local, path.Remote, now));

    /// <summary>Makes the loop's own counters visible to other threads.</summary>
    private void Publish() => _counters.Publish(_viewers.Count, _transport);
}
