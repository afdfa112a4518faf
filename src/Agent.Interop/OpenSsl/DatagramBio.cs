using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>
/// A BIO that keeps datagram boundaries, which OpenSSL's memory BIO does not: each write becomes one outgoing datagram, each read takes
/// the one datagram that is being fed. OpenSSL gathers a flight's records up to the MTU before it writes, so that one write is one datagram.
/// </summary>
internal sealed unsafe class DatagramBio
{
    /// <summary>Longer than any flight; beyond it the newest is dropped, as a full network queue would.</summary>
    private const int MaximumOutgoing = 64;

    private static readonly nint Method = CreateMethod();

    private readonly Queue<(byte[] Buffer, int Length)> _outgoing = new();
    private byte* _incoming;
    private int _incomingLength;

    /// <summary>What the peer's certificate is held against; kept here because OpenSSL's callbacks find their way to the BIO.</summary>
    internal PeerCertificateCheck? PeerCheck { get; set; }

    /// <summary>Datagrams dropped because too many waited.</summary>
    internal long OutgoingDropped { get; private set; }

    /// <summary>Copies the oldest datagram that OpenSSL wrote.</summary>
    /// <exception cref="ArgumentException">The buffer is smaller than the datagram.</exception>
    internal bool TryDequeueOutgoing(Span<byte> buffer, out int length)
    {
        if (!_outgoing.TryDequeue(out var datagram))
        {
            length = 0;
            return false;
        }

        datagram.Buffer.AsSpan(0, datagram.Length).CopyTo(buffer);
        length = datagram.Length;
        ArrayPool<byte>.Shared.Return(datagram.Buffer);
        return true;
    }

    /// <summary>Makes the BIO that calls back into this object; the SSL that it is given to frees it.</summary>
    internal nint CreateBio()
    {
        var bio = LibCrypto.BIO_new(Method);
        if (bio == 0)
            throw OpenSslException.FromQueue(nameof(LibCrypto.BIO_new));

        // Weak, so that a connection that was never disposed can still be finalized, which frees the BIO and with it this handle.
        LibCrypto.BIO_set_data(bio, GCHandle.ToIntPtr(GCHandle.Alloc(this, GCHandleType.Weak)));
        return bio;
    }

    /// <summary>The object behind a BIO of this kind, or <c>null</c> if it has been collected.</summary>
    internal static DatagramBio? From(nint bio) =>
        LibCrypto.BIO_get_data(bio) is var data and not 0 ? GCHandle.FromIntPtr(data).Target as DatagramBio : null;

    /// <summary>Sets the datagram that the next read takes; the memory must stay in place until <see cref="ClearIncoming"/>.</summary>
    internal void SetIncoming(byte* datagram, int length)
    {
        _incoming = datagram;
        _incomingLength = length;
    }

    internal void ClearIncoming() => SetIncoming(null, 0);

    private static nint CreateMethod()
    {
        var type = LibCrypto.BIO_get_new_index();
        var method = type < 0 ? 0 : LibCrypto.BIO_meth_new(type | LibCrypto.BIO_TYPE_SOURCE_SINK, "one datagram per call");
        if (method == 0 ||
            LibCrypto.BIO_meth_set_write(method, &OnWrite) != 1 || LibCrypto.BIO_meth_set_read(method, &OnRead) != 1 ||
            LibCrypto.BIO_meth_set_ctrl(method, &OnControl) != 1 || LibCrypto.BIO_meth_set_destroy(method, &OnDestroy) != 1)
        {
            throw OpenSslException.FromQueue(nameof(LibCrypto.BIO_meth_new));
        }

        return method;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnWrite(nint bio, byte* data, int length)
    {
        if (From(bio) is not { } self)
            return length;

        if (self._outgoing.Count < MaximumOutgoing)
        {
            var buffer = ArrayPool<byte>.Shared.Rent(length);
            new ReadOnlySpan<byte>(data, length).CopyTo(buffer);
            self._outgoing.Enqueue((buffer, length));
        }
        else
        {
            self.OutgoingDropped++;
        }

        return length;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnRead(nint bio, byte* buffer, int size)
    {
        LibCrypto.BIO_clear_flags(bio, LibCrypto.BIO_FLAGS_RWS | LibCrypto.BIO_FLAGS_SHOULD_RETRY);
        if (From(bio) is not { _incomingLength: > 0 } self)
        {
            LibCrypto.BIO_set_flags(bio, LibCrypto.BIO_FLAGS_READ | LibCrypto.BIO_FLAGS_SHOULD_RETRY);
            return -1;
        }

        // What does not fit is lost, as with recv(2): the rest of a datagram must never look like the next one.
        var length = Math.Min(size, self._incomingLength);
        new ReadOnlySpan<byte>(self._incoming, length).CopyTo(new Span<byte>(buffer, length));
        self.ClearIncoming();
        return length;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static CLong OnControl(nint bio, int command, CLong argument, void* pointer) =>
        new(command == LibCrypto.BIO_CTRL_FLUSH ? 1 : 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnDestroy(nint bio)
    {
        if (LibCrypto.BIO_get_data(bio) is var data and not 0)
        {
            LibCrypto.BIO_set_data(bio, 0);
            GCHandle.FromIntPtr(data).Free();
        }

        return 1;
    }
}
