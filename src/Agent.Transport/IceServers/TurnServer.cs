using System.Net;
using Agent.Interop.OpenSsl;
using Agent.Rtc;
using Agent.Rtc.Ice;
using Agent.Rtc.Stun;
using Agent.Rtc.Turn;
using Microsoft.Extensions.Logging;

namespace Agent.Transport;

/// <summary>
/// The <c>turn:</c> and <c>turns:</c> URLs of one entry of the configuration, which are ways to the same service: they are tried in their
/// order, each a second after the one before or when that fails, and the first to give an allocation is kept for all viewers. When it is lost,
/// or none works, a new round begins. The loop owns it.
/// </summary>
/// <param name="options">The entry.</param>
/// <param name="background">For names and certificates.</param>
/// <param name="random">For transaction ids and delays.</param>
/// <param name="canReach">Whether the media port can send to an address.</param>
/// <param name="guests">Hosts that each allocation lets in from the beginning; the loop's.</param>
/// <param name="logger">Where to report.</param>
internal sealed class TurnServer(
    IceServerOptions options, BackgroundWork background, IRandomSource random, Func<TransportAddress, bool> canReach,
    IReadOnlyCollection<TransportAddress> guests, ILogger logger)
{
    internal const string OtherFamilyOnly = "has only addresses of the family that the agent does not listen on (webrtc.listenAddresses)";

    /// <summary>Redirections followed in one round (RFC 8489 §10 warns of loops).</summary>
    private const int MaximumRedirections = 3;

    private const string AddressGone = "was reached from an address that this device has no longer";

    /// <summary>An allocation takes two round trips; where UDP is blocked the next way must not wait for all retransmissions.</summary>
    private static readonly TimeSpan Stagger = TimeSpan.FromSeconds(1);

    /// <summary>An allocation that lasted for so long makes the next failure a new one.</summary>
    private static readonly TimeSpan ProvenTime = TimeSpan.FromMinutes(1);

    private readonly IceServerUrl[] _urls = [.. options.Urls.Where(url => url.IsTurn && url.Transport != IceServerTransport.Dtls)];
    private readonly RetryDelay _retry = new(random);
    private readonly List<TurnRelay> _attempts = [];
    private readonly List<TurnRelay> _closing = [];
    private readonly List<(IceServerUrl Url, TransportAddress Server)> _targets = [];
    private readonly Dictionary<string, (IPAddress[] Addresses, string? Error)> _resolved = [];
    private readonly Dictionary<IceServerUrl, string> _failures = [];
    private (string UserName, string Password) _login;
    private MonotonicTime _nextAt = MonotonicTime.Zero;
    private bool _isRoundOpen;
    private int _resolving;
    private int _nextTarget;
    private int _redirections;
    private string? _lastFailure;
    private bool _isNews;
    private OpenSslTlsClientContext? _tls;

    /// <summary>The one session that it is for; <c>null</c> if for all viewers.</summary>
    internal Viewer? Owner { get; init; }

    /// <summary>It is not used any more; only what gives allocations back still leaves.</summary>
    internal bool IsOver { get; private set; }

    /// <summary>Nothing is left to send.</summary>
    internal bool IsDone => IsOver && _closing.Count == 0;

    /// <summary>The allocation in use.</summary>
    internal TurnRelay? Active { get; private set; }

    /// <summary>Allocations that messages may come for.</summary>
    internal List<TurnRelay> Attempts => _attempts;

    internal MonotonicTime NextTimeout
    {
        get
        {
            if (IsOver)
                return MonotonicTime.Zero;
            var next = Active is null ? _nextAt : MonotonicTime.Never;
            foreach (var attempt in _attempts)
            {
                // One that has failed, as a stream may at any time, is judged at once.
                next = attempt.Client.State == TurnState.Failed ? MonotonicTime.Zero : MonotonicTime.Min(next, attempt.Client.NextTimeout);
            }

            return next;
        }
    }

    internal void HandleTimeout(MonotonicTime now)
    {
        if (IsOver)
            return;
        foreach (var attempt in _attempts)
            attempt.Client.HandleTimeout(now);
        Review(now);
        if (Active is not null || now < _nextAt)
            return;
        if (!_isRoundOpen)
            BeginRound();
        else if (_nextTarget < _targets.Count)
            StartNext(now);
        Review(now);
    }

    /// <summary>This device's addresses have changed: what cannot work any more is given up, and where nothing works a new round begins at once.</summary>
    internal void AskAgain(IReadOnlyList<TransportAddress> gone, MonotonicTime now)
    {
        foreach (var attempt in _attempts)
        {
            if (attempt.IsFrom(gone))
                attempt.Client.Abandon(AddressGone);
            else
                attempt.Client.AskAgain();
        }

        Review(now);
        _retry.Reset();
        if (Active is null && _attempts.Count == 0 && _resolving == 0)
            (_isRoundOpen, _nextAt) = (false, now);
    }

    /// <summary>Draws the conclusions from what the clients have come to.</summary>
    internal void Review(MonotonicTime now)
    {
        for (var i = _attempts.Count - 1; i >= 0; i--)
        {
            var attempt = _attempts[i];
            if (attempt.Client.State == TurnState.Failed)
            {
                _attempts.RemoveAt(i);
                attempt.Dispose();
                NoteFailure(attempt, now);
            }
        }

        if (Active is null && _attempts.Find(attempt => attempt.Client.State == TurnState.Allocated) is { } allocated)
            Take(allocated);
        if (Active is null && _isRoundOpen && _resolving == 0 && _attempts.Count == 0 && _nextTarget == _targets.Count)
            EndRound(now);
    }

    /// <summary>The next message for a server by UDP.</summary>
    internal bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        foreach (var relay in _attempts)
        {
            if (relay.Stream is null && relay.Client.TryDequeueTransmit(buffer, now, out var length))
            {
                transmit = new Transmit(length, default, relay.Server);
                return true;
            }
        }

        while (_closing.Count > 0)
        {
            var relay = _closing[^1];
            if (relay.Stream is null && relay.Client.TryDequeueTransmit(buffer, now, out var length))
            {
                transmit = new Transmit(length, default, relay.Server);
                return true;
            }

            if (relay.Stream is not null)
                relay.Flush(now);
            relay.Dispose();
            _closing.RemoveAt(_closing.Count - 1);
        }

        transmit = default;
        return false;
    }

    /// <summary>Hands what waits for streams to the kernel.</summary>
    internal void Flush(MonotonicTime now)
    {
        foreach (var relay in _attempts)
        {
            if (relay.Stream is not null)
                relay.Flush(now);
        }
    }

    /// <summary>An allocation that has come since this was asked, if it is still there.</summary>
    internal TurnRelay? TakeNews()
    {
        var news = _isNews ? Active : null;
        _isNews = false;
        return news;
    }

    /// <summary>Gives the allocation back; drain once more.</summary>
    internal void Close()
    {
        IsOver = true;
        _tls?.Dispose();
        _nextAt = MonotonicTime.Never;
        foreach (var attempt in _attempts)
            Close(attempt);
        _attempts.Clear();
        Active = null;
    }

    internal IEnumerable<IceServerStatus> GetStatus()
    {
        foreach (var url in options.Urls.Where(url => url.IsTurn))
        {
            var client = Active?.Url == url ? Active.Client : null;
            var error = client is null ? _failures.GetValueOrDefault(url) : null;
            var state = url.Transport == IceServerTransport.Dtls ? IceServerState.ViewersOnly
                : client is not null ? IceServerState.Ready
                : error is not null ? IceServerState.Failed
                : Active is not null ? IceServerState.Spare
                : IceServerState.Trying;
            yield return new IceServerStatus(
                url.ToString(), state, client is not null && Active!.Stream is null ? ServerCandidates.Known(client.MappedAddress) : [],
                client is null ? [] : ServerCandidates.Known(client.RelayedIPv4, client.RelayedIPv6),
                state == IceServerState.ViewersOnly ? "The agent does not speak TURN over DTLS." : error is null ? null : $"The server {error}.")
            {
                PeersRefused = client?.PermissionsRefused ?? 0,
            };
        }
    }

    private void BeginRound()
    {
        _isRoundOpen = true;
        _nextTarget = _redirections = 0;
        _targets.Clear();
        _resolved.Clear();
        var (userName, password) = TurnCredentials.Create(options, DateTimeOffset.UtcNow);
        _login = (userName ?? "", password ?? "");
        _nextAt = MonotonicTime.Never;
        if (_tls is null && Array.Exists(_urls, static url => url.Transport == IceServerTransport.Tls))
        {
            _resolving++;
            background.Run(() => Task.FromResult(new OpenSslTlsClientContext(options.CaFile)), SetTls);
        }

        string[] hosts = [.. _urls.Select(url => url.Host).Distinct(StringComparer.OrdinalIgnoreCase)];
        _resolving += hosts.Length;
        foreach (var host in hosts)
            background.Resolve(host, (addresses, error) => SetAddresses(host, addresses, error));
    }

    private void SetAddresses(string host, IPAddress[] addresses, string? error)
    {
        _resolved[host] = (addresses, error);
        EndPreparation();
    }

    private void SetTls(OpenSslTlsClientContext? tls, string? error)
    {
        _tls = tls;
        foreach (var url in _urls.Where(url => error is not null && url.Transport == IceServerTransport.Tls))
            _failures[url] = $"is not asked: {error}";
        EndPreparation();
    }

    /// <summary>Begins to try once everything is known that takes time to find out.</summary>
    private void EndPreparation()
    {
        if (--_resolving > 0)
            return;
        foreach (var url in _urls.Where(url => url.Transport != IceServerTransport.Tls || _tls is not null))
        {
            var (found, failed) = _resolved.First(one => one.Key.Equals(url.Host, StringComparison.OrdinalIgnoreCase)).Value;
            var usable = found.Select(address => TransportAddress.From(address, url.Port))
                .Where(server => url.Transport != IceServerTransport.Udp || canReach(server)).ToList();
            if (usable.Count == 0)
                _failures[url] = failed is null ? OtherFamilyOnly : $"is not known: {failed}";
            _targets.AddRange(usable.Select(server => (url, server)));
        }

        _nextAt = SystemClock.Now;
    }

    private void StartNext(MonotonicTime now)
    {
        var (url, server) = _targets[_nextTarget++];
        var isStream = url.Transport != IceServerTransport.Udp;
        var stream = isStream ? new ServerStream(server, url.Transport == IceServerTransport.Tls ? _tls : null, url.Host) : null;
        var client = new TurnClient(isStream, _login.UserName, _login.Password, random);
        if (stream?.Failure is { } failure)
            client.Abandon(failure);
        _attempts.Add(new TurnRelay(url, server, client, stream, now));
        _nextAt = _nextTarget < _targets.Count ? now + Stagger : MonotonicTime.Never;
    }

    private void Take(TurnRelay allocated)
    {
        Active = allocated;
        _isNews = true;
        _isRoundOpen = false;
        _lastFailure = null;
        _failures.Remove(allocated.Url);
        foreach (var other in _attempts.Where(attempt => attempt != allocated))
            Close(other);
        _attempts.Clear();
        _attempts.Add(allocated);
        foreach (var guest in guests)
            allocated.Client.SetWanted(guest, isWanted: true, SystemClock.Now);
        TransportLog.Relaying(
            logger, allocated.Url.ToString(), string.Join(", ", ServerCandidates.Known(allocated.Client.RelayedIPv4, allocated.Client.RelayedIPv6)));
    }

    private void Close(TurnRelay relay)
    {
        relay.Client.Close();
        _closing.Add(relay);
    }

    private void NoteFailure(TurnRelay attempt, MonotonicTime now)
    {
        var client = attempt.Client;
        _failures[attempt.Url] = $"{client.Failure} ({attempt.Server})";
        if (attempt == Active)
        {
            TransportLog.RelayLost(logger, attempt.Url.ToString(), client.Failure!);
            Active = null;
            var isProven = now - attempt.StartedAt >= ProvenTime;
            if (isProven)
                _retry.Reset();
            _nextAt = isProven ? now : now + _retry.Next();
            return;
        }

        if (!client.AlternateServer.IsNone && _redirections < MaximumRedirections)
        {
            _redirections++;
            _targets.Insert(_nextTarget, (attempt.Url, client.AlternateServer));
        }

        if (_nextTarget < _targets.Count)
            _nextAt = now;
    }

    private void EndRound(MonotonicTime now)
    {
        _isRoundOpen = false;
        _nextAt = now + _retry.Next();
        var failure = string.Join("; ", _urls.Where(_failures.ContainsKey).Select(url => $"{url} {_failures[url]}"));
        if (failure != _lastFailure)
            TransportLog.NoRelay(logger, failure);
        _lastFailure = failure;
    }
}
