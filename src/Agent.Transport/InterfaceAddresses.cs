using System.Net;
using Agent.Interop.Libc;

namespace Agent.Transport;

/// <summary>
/// The addresses of the interfaces that are up, as the kernel tells of them (rtnetlink) from the first to every later change. The media loop
/// owns it; what it last found can be read by any thread.
/// </summary>
internal sealed class InterfaceAddresses : IDisposable
{
    private const int BufferSize = 32 * 1024; // netlink(7): dumps come in datagrams of up to that
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5); // the kernel answers at once

    private readonly RouteSocket _socket = new();
    private readonly byte[] _buffer = new byte[BufferSize];
    private readonly Dictionary<int, bool> _links = [];
    private readonly List<(int Index, IPAddress Address, bool IsUsable)> _addresses = [];
    private volatile IReadOnlyList<IPAddress> _current = [];

    /// <summary>Asks the kernel and waits for the answer.</summary>
    /// <exception cref="LibcException">The process may not ask.</exception>
    internal InterfaceAddresses()
    {
        try
        {
            ReadAll();
            Publish();
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Any thread: those that new traffic may leave from, in the kernel's order.</summary>
    internal IReadOnlyList<IPAddress> Current => _current;

    /// <summary>Names the socket to wait for.</summary>
    internal int Register(SocketPoller poller) => poller.Add(_socket);

    /// <summary>Takes in what the kernel tells.</summary>
    /// <returns>True if <see cref="Current"/> has changed.</returns>
    internal bool Receive()
    {
        while (true)
        {
            if (!_socket.TryReceive(_buffer, out var count))
                ReadAll();
            else if (count == 0)
                return Publish();
            else
                Apply(_buffer.AsSpan(0, count));
        }
    }

    /// <summary>One datagram of messages.</summary>
    /// <returns>True if a dump has come to its end.</returns>
    internal bool Apply(ReadOnlySpan<byte> messages)
    {
        var isDone = false;
        for (; RouteMessage.TryRead(messages, out var message, out var consumed); messages = messages[consumed..])
        {
            switch (message.Kind)
            {
                case RouteMessageKind.LinkChanged:
                    _links[message.Index] = message.IsRunning;
                    break;
                case RouteMessageKind.LinkRemoved:
                    _links.Remove(message.Index);
                    break;
                case RouteMessageKind.AddressAdded or RouteMessageKind.AddressRemoved:
                    Replace(message);
                    break;
                case RouteMessageKind.Error when message.ErrorNumber != 0:
                    throw new LibcException("rtnetlink dump", message.ErrorNumber);
                case RouteMessageKind.Done:
                    isDone = true;
                    break;
            }
        }

        return isDone;
    }

    /// <summary>What remains: usable, of a link that is up.</summary>
    /// <returns>True if that has changed.</returns>
    internal bool Publish()
    {
        IReadOnlyList<IPAddress> usable =
            [.. _addresses.Where(one => one.IsUsable && _links.GetValueOrDefault(one.Index)).Select(one => one.Address).Distinct()];
        if (usable.SequenceEqual(_current))
            return false;
        _current = usable;
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private void Replace(in RouteMessage message)
    {
        var address = new IPAddress(message.Address);
        if (address.IsIPv6LinkLocal)
            address.ScopeId = message.Index;
        var index = message.Index;
        var known = _addresses.FindIndex(one => one.Index == index && one.Address.Equals(address));
        if (known >= 0)
            _addresses.RemoveAt(known);
        if (message.Kind == RouteMessageKind.AddressAdded)
            _addresses.Insert(known >= 0 ? known : _addresses.Count, (index, address, message.IsUsable));
    }

    private void ReadAll()
    {
        _links.Clear();
        _addresses.Clear();
        _socket.RequestLinks();
        ReadDump();
        _socket.RequestAddresses();
        ReadDump();
    }

    private void ReadDump()
    {
        var poller = new SocketPoller();
        var isDone = false;
        while (!isDone)
        {
            poller.Clear();
            var index = poller.Add(_socket);
            poller.Wait(s_patience);
            if (!poller.IsReadable(index))
                throw new LibcException("rtnetlink dump", Errno.ETIMEDOUT);
            if (_socket.TryReceive(_buffer, out var count))
                isDone = Apply(_buffer.AsSpan(0, count));
        }
    }
}
