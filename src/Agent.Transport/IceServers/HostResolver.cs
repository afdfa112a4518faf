using System.Net;
using System.Net.Sockets;

namespace Agent.Transport;

/// <summary>Resolves servers' names away from the media loop: the system's resolver takes as long as it likes.</summary>
/// <param name="loop">Where the answer is wanted.</param>
/// <param name="resolve">The system's, or a test's.</param>
internal sealed class HostResolver(MediaLoop loop, Func<string, Task<IPAddress[]>> resolve)
{
    /// <summary>The loop's: asks, and calls back on the loop with the addresses, or why there are none.</summary>
    internal void Resolve(string host, Action<IPAddress[], string?> done)
    {
        if (IPAddress.TryParse(host, out var literal))
            done([literal], null);
        else
            _ = ResolveAsync(host, done);
    }

    private async Task ResolveAsync(string host, Action<IPAddress[], string?> done)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        IPAddress[] addresses = [];
        string? error = null;
        try
        {
            addresses = await resolve(host).ConfigureAwait(false);
            error = addresses.Length == 0 ? $"the name {host} has no address" : null;
        }
        catch (SocketException failed)
        {
            error = $"the name {host} cannot be resolved: {failed.Message}";
        }

        try
        {
            await loop.InvokeAsync(
                () =>
                {
                    done(addresses, error);
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
