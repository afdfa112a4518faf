namespace Agent.Media;

/// <summary>Takes a camera's access units on the encoder's thread. Must return at once and never throw; takes its own reference.</summary>
public interface IAccessUnitSubscriber
{
    void OnAccessUnit(FrameHub hub, AccessUnit accessUnit);
}

/// <summary>
/// The point where one camera's encoded stream meets everything that consumes it. One encoder publishes; any thread subscribes and
/// asks for keyframes. Requests are coalesced and rate-limited.
/// </summary>
public sealed class FrameHub
{
    /// <param name="camera">The camera's name.</param>
    public FrameHub(string camera) => Camera = camera;

    public string Camera { get; }

    /// <summary>
    /// profile-level-id of the stream (six hex digits, RFC 6184 §8.1): from the last SPS, before the first one from the encoder's
    /// settings; <c>null</c> while the camera produces nothing.
    /// </summary>
    public string? ProfileLevelId => throw new NotImplementedException();

    /// <summary>True while access units keep coming.</summary>
    public bool IsProducing => throw new NotImplementedException();

    public int SubscriberCount => throw new NotImplementedException();

    public void Subscribe(IAccessUnitSubscriber subscriber) => throw new NotImplementedException();

    public void Unsubscribe(IAccessUnitSubscriber subscriber) => throw new NotImplementedException();

    /// <summary>Any thread: the next picture should be an IDR.</summary>
    public void RequestKeyFrame() => throw new NotImplementedException();

    /// <summary>Encoder's thread: true at most once per minimum interval while a request is pending; clears it.</summary>
    public bool TakeKeyFrameRequest(TimeSpan now) => throw new NotImplementedException();

    /// <summary>Encoder's thread: hands the access unit to every subscriber; the caller keeps its own reference.</summary>
    public void Publish(AccessUnit accessUnit) => throw new NotImplementedException();
}
