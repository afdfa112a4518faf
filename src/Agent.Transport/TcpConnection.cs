using Agent.Interop.Libc;
using Agent.Rtc;

namespace Agent.Transport;

/// <summary>
/// One viewer's TCP connection, or a stranger's who has yet to prove that it is one: packets in and out by RFC 4571 framing. The send queue is
/// bounded. Media is not taken from the session while <see cref="HasRoom"/> is false, so that the session drops whole frames up to the next IDR
/// when a viewer's link is too slow; a STUN message that finds the queue full is dropped and counted.
/// </summary>
internal sealed class TcpConnection(TcpSocket socket, NetworkPath path, MonotonicTime acceptedAt) : IDisposable
{
    /// <summary>Bytes that a stranger may send before an authenticated check: a few of them, and no more memory than this.</summary>
    internal const int MaximumUnprovenBytes = ReceiveBufferSize;

    /// <summary>20 packets, four turns of the loop for an IDR of 100 kB; what else waits, waits as frames in the session.</summary>
    internal const int SendBufferSize = 32 * 1024;

    private const int ReceiveBufferSize = 4096; // a packet of the longest kind and most of another
    private const int LongestPacket = PacketFraming.HeaderLength + UdpTransport.MaximumDatagramSize;
    private const int StunReserve = 2048; // checks and their answers are some hundred bytes each

    private readonly byte[] _received = new byte[ReceiveBufferSize];
    private byte[] _outgoing = [];
    private int _receivedLength;
    private int _readPosition;
    private int _sendPosition;
    private int _sendEnd;

    internal TcpSocket Socket { get; } = socket;

    internal NetworkPath Path { get; } = path;

    internal MonotonicTime AcceptedAt { get; } = acceptedAt;

    /// <summary>Whose session has answered an authenticated check on it; <c>null</c> before.</summary>
    internal Viewer? Owner { get; private set; }

    /// <summary>Its place in the present turn's poll.</summary>
    internal int PollIndex { get; set; } = -1;

    internal long BytesReceived { get; private set; }

    /// <summary>Why it is over, in words for the pair's status; <c>null</c> while it lives.</summary>
    internal string? EndReason { get; private set; }

    /// <summary>Media waits for the kernel to take more.</summary>
    internal bool IsHolding { get; set; }

    internal bool HasUnsent => _sendEnd > _sendPosition;

    /// <summary>True while another packet of media has room behind those that wait.</summary>
    internal bool HasRoom => _outgoing.Length - (_sendEnd - _sendPosition) >= LongestPacket + StunReserve;

    internal void Prove(Viewer owner) => Owner = owner;

    internal void End(string reason) => EndReason ??= reason;

    /// <summary>Reads once.</summary>
    /// <returns>False if nothing came.</returns>
    internal bool Receive()
    {
        _received.AsSpan(_readPosition, _receivedLength - _readPosition).CopyTo(_received);
        _receivedLength -= _readPosition;
        _readPosition = 0;
        if (!Socket.TryReceive(_received.AsSpan(_receivedLength), out var count))
            End("The viewer closed the TCP connection, or the network did.");
        _receivedLength += count;
        BytesReceived += count;
        return count > 0;
    }

    /// <summary>The next packet received, valid until <see cref="Receive"/>; false when there is no other whole one.</summary>
    internal bool TryTakePacket(out Span<byte> packet)
    {
        var rest = _received.AsSpan(_readPosition, _receivedLength - _readPosition);
        if (PacketFraming.TryRead(rest, out packet, out var consumed))
        {
            _readPosition += consumed;
            if (packet.Length <= UdpTransport.MaximumDatagramSize)
                return true;
        }
        else if (!PacketFraming.TryReadLength(rest, out var length) || length <= UdpTransport.MaximumDatagramSize)
        {
            return false;
        }

        End("The viewer sent a packet over TCP that is longer than any of WebRTC's.");
        return false;
    }

    /// <summary>Queues a packet.</summary>
    /// <returns>False if it has to be dropped: the queue is full.</returns>
    internal bool TrySend(ReadOnlySpan<byte> packet)
    {
        if (_outgoing.Length == 0)
            _outgoing = new byte[SendBufferSize];
        if (_outgoing.Length - _sendEnd < PacketFraming.HeaderLength + packet.Length)
        {
            _outgoing.AsSpan(_sendPosition, _sendEnd - _sendPosition).CopyTo(_outgoing);
            _sendEnd -= _sendPosition;
            _sendPosition = 0;
            if (_outgoing.Length - _sendEnd < PacketFraming.HeaderLength + packet.Length)
                return false;
        }

        _sendEnd += PacketFraming.Write(_outgoing.AsSpan(_sendEnd), packet);
        return true;
    }

    /// <summary>Hands what waits to the kernel, as much as it takes.</summary>
    internal void Flush()
    {
        if (!HasUnsent)
            return;
        if (!Socket.TrySend(_outgoing.AsSpan(_sendPosition, _sendEnd - _sendPosition), out var count))
        {
            End("The TCP connection to the viewer broke.");
            count = _sendEnd - _sendPosition;
        }

        _sendPosition += count;
        if (!HasUnsent)
            _sendPosition = _sendEnd = 0;
    }

    public void Dispose() => Socket.Dispose();
}
