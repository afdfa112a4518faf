namespace Agent.Interop.OpenSsl;

/// <summary>An OpenSSL call failed where only a broken set-up or a bug makes it fail.</summary>
/// <param name="function">The C function.</param>
/// <param name="detail">OpenSSL's error queue in words.</param>
public sealed class OpenSslException(string function, string detail) : Exception($"{function} failed: {detail}")
{
    /// <summary>Builds the exception from the calling thread's error queue, and empties the queue.</summary>
    /// <param name="function">The C function that failed.</param>
    internal static OpenSslException FromQueue(string function) => new(function, OpenSslErrorQueue.Take().Text);
}
