using System.Runtime.InteropServices;

namespace Agent.Interop.OpenSsl;

/// <summary>The calling thread's OpenSSL error queue, taken and emptied.</summary>
/// <param name="Text">All entries, oldest first.</param>
/// <param name="PeerAlert">The fatal alert of the peer that the queue reports (RFC 8446 §6), or <c>null</c>.</param>
internal readonly record struct OpenSslErrorQueue(string Text, int? PeerAlert)
{
    private const int MaximumMessageLength = 256; // openssl/err.h: ERR_error_string needs at least 256 bytes.

    internal static unsafe OpenSslErrorQueue Take()
    {
        var text = string.Empty;
        int? alert = null;
        var buffer = stackalloc byte[MaximumMessageLength];
        while (LibCrypto.ERR_get_error() is { Value: not 0 } error)
        {
            LibCrypto.ERR_error_string_n(error, buffer, MaximumMessageLength);
            text = (text.Length == 0 ? "" : text + "; ") + Marshal.PtrToStringUTF8((nint)buffer);
            var library = (int)(error.Value >> LibCrypto.ERR_LIB_OFFSET) & LibCrypto.ERR_LIB_MASK;
            var reason = (int)error.Value & LibCrypto.ERR_REASON_MASK;
            if (library == LibCrypto.ERR_LIB_SSL && reason is > LibSsl.SSL_AD_REASON_OFFSET and <= LibSsl.SSL_AD_REASON_OFFSET + byte.MaxValue)
                alert = reason - LibSsl.SSL_AD_REASON_OFFSET;
        }

        return new OpenSslErrorQueue(text.Length == 0 ? "OpenSSL gave no reason" : text, alert);
    }
}
