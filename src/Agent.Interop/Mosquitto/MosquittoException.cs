using System.Runtime.InteropServices;

namespace Agent.Interop.Mosquitto;

/// <summary>A libmosquitto call failed; carries the function and the library's text, or errno's.</summary>
public sealed class MosquittoException(string function, int code, string text) : IOException($"{function} failed: {text}.")
{
    /// <summary>MOSQ_ERR_* of mosquitto.h.</summary>
    public int Code { get; } = code;

    /// <summary>Throws unless the code is MOSQ_ERR_SUCCESS.</summary>
    internal static void ThrowIfFailed(int code, string function)
    {
        if (code != LibMosquitto.MOSQ_ERR_SUCCESS)
        {
            throw new MosquittoException(function, code, Describe(code, Marshal.GetLastPInvokeError()));
        }
    }

    internal static unsafe string Describe(int code, int errno) => code == LibMosquitto.MOSQ_ERR_ERRNO
        ? $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})"
        : $"{MosquittoClient.Text(LibMosquitto.mosquitto_strerror(code)).TrimEnd('.')} (code {code})";
}
