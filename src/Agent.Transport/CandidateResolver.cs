using System.Net;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Sdp;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// Turns a viewer's signalled candidates into addresses: literal ones at once, <c>.local</c> names when their owner answers over mDNS.
/// Nothing waits for a name. What cannot be resolved is left out and counted; the viewer's own checks will show the address anyway.
/// </summary>
internal sealed class CandidateResolver : IDisposable
{
    /// <summary>
    /// Names of one viewer that are asked for at once; browsers make one for each address. Drop policy: further ones are refused, so that
    /// an offer cannot make the agent multicast for long, nor take all of <see cref="MdnsResolver.MaximumInFlight"/>.
    /// </summary>
    internal const int MaximumNamesPerViewer = 16;

    private const string LocalSuffix = ".local";

    private readonly MediaLoop _loop;
    private readonly ILogger _logger;
    private readonly MdnsResolver? _mdns;
    private readonly Func<string, Task<IPAddress?>> _resolve;
    private long _unresolved;

    internal CandidateResolver(MediaLoop loop, ILogger logger, Func<string, Task<IPAddress?>>? resolve)
    {
        _loop = loop;
        _logger = logger;
        _mdns = resolve is null ? new MdnsResolver(logger) : null;
        _resolve = resolve ?? _mdns!.ResolveAsync;
    }

    /// <summary>Any thread: names that led to no address.</summary>
    internal long Unresolved => Interlocked.Read(ref _unresolved);

    /// <summary>The loop's: adds candidates to the viewer's session, now or once they are resolved.</summary>
    /// <param name="viewer">Whose.</param>
    /// <param name="candidates">As signalled.</param>
    /// <param name="end">No more will follow.</param>
    /// <param name="literals">False if the session has already taken those with a literal address.</param>
    internal void AddCandidates(Viewer viewer, IReadOnlyList<SignaledCandidate> candidates, bool end, bool literals)
    {
        viewer.HasEndOfCandidates |= end;
        foreach (var candidate in candidates)
        {
            if (candidate.TryGetCandidate(out var known))
            {
                if (literals)
                    Add(viewer, known);
            }
            else if (viewer.NamesPending < MaximumNamesPerViewer && candidate.HostName.EndsWith(LocalSuffix, StringComparison.OrdinalIgnoreCase))
            {
                viewer.NamesPending++;
                _ = ResolveAsync(viewer, viewer.RemoteUfrag, candidate);
            }
            else
            {
                // Too many; or a public name, which would make the agent ask the DNS for whatever a stranger writes. Browsers send none.
                Interlocked.Increment(ref _unresolved);
            }
        }

        EndIfComplete(viewer);
    }

    public void Dispose() => _mdns?.Dispose();

    private async Task ResolveAsync(Viewer viewer, string generation, SignaledCandidate candidate)
    {
        // Away from the loop before anything that may take time.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        IPAddress? resolved = null;
        try
        {
            resolved = await _resolve(candidate.HostName).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // nobody awaits this task; whatever the network answers, the viewer's other candidates go on
        catch (Exception error)
#pragma warning restore CA1031
        {
            TransportLog.NameNotResolved(_logger, error.Message);
        }

        if (resolved is null)
            Interlocked.Increment(ref _unresolved);
        await DeliverAsync(viewer, generation, candidate, resolved).ConfigureAwait(false);
    }

    private async Task DeliverAsync(Viewer viewer, string generation, SignaledCandidate candidate, IPAddress? resolved)
    {
        try
        {
            await _loop.InvokeAsync(
                () =>
                {
                    if (viewer.IsRemoved || viewer.RemoteUfrag != generation)
                        return false;
                    viewer.NamesPending--;
                    if (resolved is not null)
                        Add(viewer, candidate.At(TransportAddress.From(resolved, candidate.Port)));
                    EndIfComplete(viewer);
                    return true;
                },
                CancellationToken.None).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // The agent is going down; so has the viewer.
        }
    }

    private void Add(Viewer viewer, IceCandidate candidate)
    {
        if (!viewer.IsRemoved)
            _loop.Apply(viewer, candidate, static (one, added, now) => one.Session.AddRemoteCandidate(added, now));
    }

    private void EndIfComplete(Viewer viewer)
    {
        if (viewer.HasEndOfCandidates && viewer.NamesPending == 0 && !viewer.IsRemoved)
            _loop.Apply(viewer, 0, static (one, _, _) => one.Session.SetRemoteEndOfCandidates());
    }
}
