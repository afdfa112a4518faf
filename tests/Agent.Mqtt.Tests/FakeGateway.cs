using Agent.Rtc.Sdp;
using Agent.Transport;

namespace Agent.Mqtt.Tests;

/// <summary>A media loop in memory that accepts every offer for the camera "main" and records the rest.</summary>
internal sealed class FakeGateway : IViewerGateway
{
    private int _sessions;

    public event Action<string, string>? ViewerClosed;

    public List<ViewerOffer> Offers { get; } = [];

    public List<(string Session, TrickleFragment Fragment)> Trickles { get; } = [];

    public List<(string Session, string Reason)> Closed { get; } = [];

    public ViewerError? NextError { get; set; }

    public ViewerError? TrickleError { get; set; }

    /// <summary>While set, offers are answered only once it completes.</summary>
    public Task? Gate { get; set; }

    public bool HasSubscribers => ViewerClosed is not null;

    public void EndSession(string id, string reason) => ViewerClosed?.Invoke(id, reason);

    public async ValueTask<ViewerAnswer> OpenAsync(ViewerOffer offer, CancellationToken cancellationToken)
    {
        Offers.Add(offer);
        await (Gate ?? Task.CompletedTask).WaitAsync(cancellationToken);
        return NextError is { } error
            ? new ViewerAnswer("", "", "", error)
            : new ViewerAnswer($"s{++_sessions}", "v=0\r\na=group:BUNDLE 0\r\n", "etag");
    }

    public ValueTask<string?> GetETagAsync(string sessionId, CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    public ValueTask<ViewerError?> TrickleAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken)
    {
        Trickles.Add((sessionId, fragment));
        return ValueTask.FromResult(TrickleError);
    }

    /// <summary>What an offer for a session that there is gets, if it restarts ICE.</summary>
    public ViewerAnswer? Restarted { get; set; }

    public ValueTask<ViewerAnswer?> RestartIceAsync(string sessionId, ReadOnlyMemory<byte> offer, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Restarted is { } answer && answer.SessionId == sessionId ? answer : null);

    public ValueTask<IceRestartAnswer> RestartIceAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public ValueTask<bool> CloseAsync(string sessionId, string reason, CancellationToken cancellationToken)
    {
        Closed.Add((sessionId, reason));
        return ValueTask.FromResult(true);
    }

    public ValueTask<IReadOnlyList<ViewerStatus>> GetViewersAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<ViewerStatus>>([]);

    public IReadOnlyList<IceServer> GetIceServers() => [];

    public TransportStatus GetStatus() => new(0, 0, 0, 0, 0, 0, 0, 0, []);
}
