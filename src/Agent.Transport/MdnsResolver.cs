using System.Collections.Concurrent;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Agent.Rtc;
using Agent.Rtc.Ice.Mdns;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// Resolves the <c>.local</c> names that browsers put in place of their addresses (draft-ietf-mmusic-mdns-ice-candidates), by multicast
/// DNS (RFC 6762) on every interface that is up. It shares port 5353 with other responders, because Chromium answers by multicast only.
/// Thread-safe; sockets are opened with the first name.
/// </summary>
internal sealed class MdnsResolver : IDisposable
{
    /// <summary>Names at once. Drop policy: further ones are refused.</summary>
    internal const int MaximumInFlight = 64;

    private const int Port = 5353; // RFC 6762 §3
    private const int MaximumMessage = 9000; // RFC 6762 §17
    private const int QueryBufferSize = 512; // MdnsQuery.WriteQuery
    private const int SOL_SOCKET = 1; // asm-generic/socket.h
    private const int SO_REUSEADDR = 2; // asm-generic/socket.h; .NET's option of that name sets SO_REUSEPORT, which other users' sockets refuse
    private static readonly IPAddress GroupIPv4 = IPAddress.Parse("224.0.0.251"); // RFC 6762 §3
    private static readonly IPAddress GroupIPv6 = IPAddress.Parse("ff02::fb"); // RFC 6762 §3

    // RFC 6762 §5.2: the first repetition after at least a second. The last wait is for the answer to it.
    private static readonly TimeSpan[] Waits = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    private readonly ConcurrentDictionary<string, TaskCompletionSource<IPAddress?>> _pending = new(StringComparer.OrdinalIgnoreCase);
    private readonly CancellationTokenSource _stop = new();
    private readonly HashSet<(AddressFamily, int)> _joined = [];
    private readonly Lock _lock = new();
    private readonly ILogger _logger;
    private List<Socket>? _sockets;

    internal MdnsResolver(ILogger logger) => _logger = logger;

    /// <summary>Asks the network for a name.</summary>
    /// <param name="name">One label and ".local".</param>
    /// <returns>Its address, or <c>null</c>: nobody answered within three seconds, or too many names are being asked for.</returns>
    internal async Task<IPAddress?> ResolveAsync(string name)
    {
        if (!MdnsQuery.IsCandidateName(name))
            return null;
        if (_pending.TryGetValue(name, out var asked))
            return await asked.Task.ConfigureAwait(false);
        var answer = new TaskCompletionSource<IPAddress?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (_pending.Count >= MaximumInFlight || !_pending.TryAdd(name, answer))
            return null;

        try
        {
            if (!TryOpenSockets())
                return await ResolveBySystemAsync(name).ConfigureAwait(false);
            foreach (var wait in Waits)
            {
                Ask(name);
                await Task.WhenAny(answer.Task, Task.Delay(wait, _stop.Token)).ConfigureAwait(false);
                if (answer.Task.IsCompleted || _stop.IsCancellationRequested)
                    break;
            }

            answer.TrySetResult(null);
            return await answer.Task.ConfigureAwait(false);
        }
        finally
        {
            _pending.TryRemove(name, out _);
            answer.TrySetResult(null);
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        lock (_lock)
        {
            _sockets?.ForEach(socket => socket.Dispose());
            _sockets = [];
        }

        _stop.Dispose();
    }

    private bool TryOpenSockets()
    {
        lock (_lock)
        {
            if (_sockets is not null)
                return _sockets.Count > 0;
            _sockets = [];
            foreach (var (any, isOpen) in new[] { (IPAddress.Any, true), (IPAddress.IPv6Any, Socket.OSSupportsIPv6) })
            {
                if (isOpen)
                    Open(any);
            }

            return _sockets.Count > 0;
        }
    }

    private void Open(IPAddress any)
    {
        var socket = new Socket(any.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (any.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = false;
            socket.SetRawSocketOption(SOL_SOCKET, SO_REUSEADDR, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(any, Port));
        }
        catch (SocketException error)
        {
            TransportLog.MdnsUnavailable(_logger, $"UDP port {Port} on {any} cannot be shared: {error.Message}");
            socket.Dispose();
            return;
        }

        _sockets!.Add(socket);
        _ = ReceiveAsync(socket);
    }

    private void Ask(string name)
    {
        Span<byte> query = stackalloc byte[QueryBufferSize];
        lock (_lock)
        {
            foreach (var socket in _sockets!)
            {
                foreach (var index in GetInterfaces(socket.AddressFamily))
                {
                    // Both questions each time: Chromium takes one question in a message, Firefox does not answer for ANY.
                    foreach (var type in (ReadOnlySpan<MdnsQuestionType>)[MdnsQuestionType.A, MdnsQuestionType.Aaaa])
                        Send(socket, index, query[..MdnsQuery.WriteQuery(query, name, 0, type)]);
                }
            }
        }
    }

    private void Send(Socket socket, int interfaceIndex, ReadOnlySpan<byte> query)
    {
        var isIPv6 = socket.AddressFamily == AddressFamily.InterNetworkV6;
        var level = isIPv6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
        try
        {
            if (_joined.Add((socket.AddressFamily, interfaceIndex)))
            {
                object membership = isIPv6 ? new IPv6MulticastOption(GroupIPv6, interfaceIndex) : new MulticastOption(GroupIPv4, interfaceIndex);
                socket.SetSocketOption(level, SocketOptionName.AddMembership, membership);
            }

            socket.SetSocketOption(
                level, SocketOptionName.MulticastInterface, isIPv6 ? interfaceIndex : IPAddress.HostToNetworkOrder(interfaceIndex));
            socket.SendTo(query, new IPEndPoint(isIPv6 ? GroupIPv6 : GroupIPv4, Port));
        }
        catch (SocketException error)
        {
            // An interface that came or went in between, or that has no multicast; the others are asked all the same.
            _joined.Remove((socket.AddressFamily, interfaceIndex));
            TransportLog.MdnsInterfaceSkipped(_logger, interfaceIndex, error.Message);
        }
    }

    private async Task ReceiveAsync(Socket socket)
    {
        var buffer = new byte[MaximumMessage];
        var anyone = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, anyone, _stop.Token).ConfigureAwait(false);

                // RFC 6762 §11: answers come from the mDNS port.
                if (((IPEndPoint)received.RemoteEndPoint).Port == Port)
                    Match(buffer.AsSpan(0, received.ReceivedBytes));
            }
            catch (SocketException error)
            {
                TransportLog.MdnsReceiveFailed(_logger, error.Message);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Match(ReadOnlySpan<byte> datagram)
    {
        Span<TransportAddress> addresses = new TransportAddress[1];
        foreach (var (name, answer) in _pending)
        {
            if (MdnsResponse.TryReadAddresses(datagram, name, addresses, out _))
                answer.TrySetResult(addresses[0].ToIPAddress());
        }
    }

    /// <summary>Where the port cannot be shared, the system may have a resolver that knows mDNS (nss-mdns, systemd-resolved).</summary>
    private async Task<IPAddress?> ResolveBySystemAsync(string name)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        limit.CancelAfter(Waits.Aggregate((sum, wait) => sum + wait));
        try
        {
            return (await Dns.GetHostAddressesAsync(name, limit.Token).ConfigureAwait(false)).FirstOrDefault();
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            return null;
        }
    }

    private static IEnumerable<int> GetInterfaces(AddressFamily family) =>
        from one in NetworkInterface.GetAllNetworkInterfaces()
        where one.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        let properties = one.GetIPProperties()
        where properties.UnicastAddresses.Any(address => address.Address.AddressFamily == family)
        select properties.GetIPv4Properties()?.Index ?? properties.GetIPv6Properties().Index;
}
