using System.Net;
using System.Net.Sockets;
using Agent.Interop.OpenSsl;

namespace Agent.Transport;

/// <summary>What servers need and the media loop must not wait for: names are resolved, and certificates read, on other threads.</summary>
/// <param name="loop">Where the results are wanted.</param>
/// <param name="resolve">The system's resolver, or a test's.</param>
internal sealed class BackgroundWork(MediaLoop loop, Func<string, Task<IPAddress[]>> resolve)
{
    /// <summary>The loop's: asks for a name, and calls back on the loop with its addresses, or why there are none.</summary>
    internal void Resolve(string host, Action<IPAddress[], string?> done)
    {
        if (IPAddress.TryParse(host, out var literal))
            done([literal], null);
        else
            Run(() => resolve(host), (addresses, error) => done(addresses ?? [], error is null ? null : $"the name {host} cannot be resolved: {error}"));
    }

    /// <summary>The loop's: has work done elsewhere, and calls back on the loop with the result, or why there is none.</summary>
    internal void Run<T>(Func<Task<T>> work, Action<T?, string?> done)
        where T : class => _ = RunAsync(work, done);

    private async Task RunAsync<T>(Func<Task<T>> work, Action<T?, string?> done)
        where T : class
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        T? result = null;
        string? error = null;
        try
        {
            result = await work().ConfigureAwait(false);
        }
        catch (Exception failed) when (failed is SocketException or OpenSslException)
        {
            error = failed.Message;
        }

        try
        {
            await loop.InvokeAsync(
                () =>
                {
                    done(result, error);
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The agent is going down.
        }
    }
}
