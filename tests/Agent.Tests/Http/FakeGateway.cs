using Agent.Rtc.Sdp;
using Agent.Transport;

namespace Agent.Tests.Http;

/// <summary>A gateway that remembers what it was asked and answers what the test says.</summary>
internal sealed class FakeGateway : IViewerGateway
{
    public const string Session = "s3cret-session";
    public const string Answer = "v=0\r\nanswer";

    public event Action<string, string>? ViewerClosed;

    public ViewerError? Error { get; set; }

    public string? ETag { get; set; } = "etag1";

    public ViewerOffer? LastOffer { get; private set; }

    public TrickleFragment? LastFragment { get; private set; }

    public IReadOnlyList<ViewerStatus> Viewers { get; set; } = [];

    public ValueTask<ViewerAnswer> OpenAsync(ViewerOffer offer, CancellationToken cancellationToken)
    {
        LastOffer = offer;
        return ValueTask.FromResult(new ViewerAnswer(Session, Answer, ETag!, Error));
    }

    public ValueTask<string?> GetETagAsync(string sessionId, CancellationToken cancellationToken) =>
        ValueTask.FromResult(sessionId == Session ? ETag : null);

    public ValueTask<ViewerError?> TrickleAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken)
    {
        LastFragment = fragment;
        return ValueTask.FromResult(Error);
    }

    public ValueTask<IceRestartAnswer> RestartIceAsync(string sessionId, TrickleFragment fragment, CancellationToken cancellationToken)
    {
        LastFragment = fragment;
        ETag = Error is null ? "etag2" : ETag;
        return ValueTask.FromResult(new IceRestartAnswer("a=ice-ufrag:new1\r\n", ETag!, Error));
    }

    public ValueTask<ViewerAnswer?> RestartIceAsync(string sessionId, ReadOnlyMemory<byte> offer, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ViewerAnswer?>(null);

    public ValueTask<bool> CloseAsync(string sessionId, string reason, CancellationToken cancellationToken)
    {
        var existed = sessionId == Session && ETag is not null;
        ETag = null;
        ViewerClosed?.Invoke(sessionId, reason);
        return ValueTask.FromResult(existed);
    }

    public ValueTask<IReadOnlyList<ViewerStatus>> GetViewersAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Viewers);

    public IReadOnlyList<IceServer> IceServers { get; set; } = [];

    public IReadOnlyList<IceServer> GetIceServers() => IceServers;

    public TransportStatus GetStatus() => new(Viewers.Count, 7, 1000, 2000, 3, 4, 5, 6, ["127.0.0.1:8443"]);
}
