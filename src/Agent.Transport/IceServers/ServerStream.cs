using Agent.Interop.Libc;
using Agent.Interop.OpenSsl;
using Agent.Rtc;
using Agent.Rtc.Turn;

namespace Agent.Transport;

/// <summary>
/// The connection to a TURN server by TCP, or by TLS on it. Nothing waits: what cannot be sent yet stands in a bounded queue, and what finds
/// that full is refused. The loop owns it.
/// </summary>
internal sealed class ServerStream : IDisposable
{
    /// <summary>A quarter of a second at 2 Mbit/s; sessions are held before it is full.</summary>
    internal const int QueueBytes = 64 * 1024;

    private const int ReadsPerTurn = 8; // of 2 KiB and more each, so that a flood leaves time for frames and timers
    private const int Reserve = 4096; // requests are small and few; a media packet stops short of it

    private readonly TcpSocket? _socket;
    private readonly OpenSslTlsClient? _tls;
    private readonly TurnStreamReader _reader = new();
    private readonly byte[] _queue = new byte[QueueBytes];
    private int _queueStart;
    private int _queueEnd;
    private int _pollIndex = -1;
    private bool _isConnected;
    private bool _isSecured;

    /// <param name="server">Where to connect to.</param>
    /// <param name="tls">TLS, or <c>null</c> for plain TCP.</param>
    /// <param name="host">The name that the certificate must have.</param>
    internal ServerStream(TransportAddress server, OpenSslTlsClientContext? tls, string host)
    {
        _isSecured = tls is null;
        try
        {
            Span<byte> address = stackalloc byte[16];
            var length = server.WriteAddress(address);
            _socket = TcpConnector.Begin(address[..length], server.Port, server.ScopeId, out var error);
            if (_socket is null)
                Failure = $"cannot be connected to: {error}";
            else if (tls is not null)
                _tls = new OpenSslTlsClient(tls, _socket, host);
        }
        catch (Exception broken) when (broken is LibcException or OpenSslException)
        {
            // No descriptors left, or a name that OpenSSL does not take: a matter of this server, not of the viewers.
            Failure = $"cannot be connected to: {broken.Message}";
        }
    }

    /// <summary>The local address, with no port; <c>default</c> if it is not known.</summary>
    internal TransportAddress LocalAddress =>
        _socket is null || _socket.LocalAddress.IsEmpty ? default : TransportAddress.FromBytes(_socket.LocalAddress, 0, _socket.LocalScope);

    /// <summary>Why it is over, in words that follow "the server …"; <c>null</c> while it lives.</summary>
    internal string? Failure { get; private set; }

    /// <summary>A further media packet would be refused.</summary>
    internal bool IsFull => QueueBytes - (_queueEnd - _queueStart) < TurnStreamReader.MaximumMessageLength + Reserve;

    private bool IsOpen => _isConnected && _isSecured;

    /// <summary>Names the socket to wait for.</summary>
    internal void Register(SocketPoller poller) => _pollIndex = _socket is null || Failure is not null ? -1
        : poller.Add(_socket, forWrite: !_isConnected || _tls?.WantsWrite == true || (IsOpen && _queueEnd > _queueStart));

    /// <summary>Goes on with what the socket has become ready for.</summary>
    /// <returns>True if there may be messages to take.</returns>
    internal bool Advance(SocketPoller poller)
    {
        if (_pollIndex < 0 || Failure is not null || !(poller.IsReadable(_pollIndex) || poller.IsWritable(_pollIndex)))
            return false;
        if (!_isConnected)
        {
            if (TcpConnector.GetError(_socket!) is { } error)
            {
                Failure = $"cannot be connected to: {error}";
                return false;
            }

            _isConnected = true;
        }

        if (!_isSecured && !TryHandshake())
            return false;
        Flush();
        return true;
    }

    /// <summary>Reads once.</summary>
    /// <param name="turn">How often it was called in this turn.</param>
    /// <returns>False if nothing has come.</returns>
    internal bool TryReceive(int turn)
    {
        if (turn >= ReadsPerTurn || !IsOpen || Failure is not null)
            return false;
        int count;
        if (_tls is null)
        {
            if (!_socket!.TryReceive(_reader.Space, out count))
                Failure = "closed the connection";
        }
        else
        {
            var result = _tls.Read(_reader.Space, out count);
            Failure = result switch
            {
                TlsStepResult.Closed => "closed the connection",
                TlsStepResult.Failed => $"broke the TLS connection: {_tls.Error}",
                _ => null,
            };
        }

        _reader.Advance(count);
        return count > 0;
    }

    /// <summary>The next message received, valid until the next read; false when there is no other whole one.</summary>
    internal bool TryTake(out Span<byte> message)
    {
        if (_reader.TryTake(out message))
            return message.Length > 0;
        Failure = "sends what is not TURN; is it a TURN server?";
        return false;
    }

    /// <summary>Queues a message.</summary>
    /// <returns>False if it has to be dropped: the queue is full.</returns>
    internal bool TrySend(ReadOnlySpan<byte> message)
    {
        if (Failure is not null || QueueBytes - (_queueEnd - _queueStart) < message.Length)
            return false;
        if (QueueBytes - _queueEnd < message.Length)
        {
            _queue.AsSpan(_queueStart.._queueEnd).CopyTo(_queue);
            (_queueStart, _queueEnd) = (0, _queueEnd - _queueStart);
        }

        message.CopyTo(_queue.AsSpan(_queueEnd));
        _queueEnd += message.Length;
        return true;
    }

    /// <summary>Hands what waits to the kernel, as much as it takes.</summary>
    internal void Flush()
    {
        while (IsOpen && Failure is null && _queueEnd > _queueStart)
        {
            var waiting = _queue.AsSpan(_queueStart.._queueEnd);
            int count;
            if (_tls is null)
            {
                if (!_socket!.TrySend(waiting, out count))
                    Failure = "broke the connection";
            }
            else if (_tls.Write(waiting, out count) is TlsStepResult.Failed or TlsStepResult.Closed)
            {
                Failure = $"broke the TLS connection: {_tls.Error ?? "closed"}";
            }

            if (count == 0)
                return;
            _queueStart += count;
        }

        if (_queueEnd == _queueStart)
            _queueStart = _queueEnd = 0;
    }

    public void Dispose()
    {
        if (IsOpen && Failure is null)
            _tls?.Shutdown();
        _tls?.Dispose();
        _socket?.Dispose();
    }

    private bool TryHandshake()
    {
        switch (_tls!.Handshake())
        {
            case TlsStepResult.Done:
                _isSecured = true;
                return true;
            case TlsStepResult.Closed:
                Failure = "closed the connection in the TLS handshake";
                return false;
            case TlsStepResult.Failed:
                Failure = $"failed in the TLS handshake: {_tls.Error}";
                return false;
            default:
                return false;
        }
    }
}
