namespace Agent.Transport;

/// <summary>An offer of a camera's stream to a server, which holds a place among the viewers.</summary>
public sealed class PublishOffer
{
    internal PublishOffer(ReservedPlace place, string sdp) => (Place, Sdp) = (place, sdp);

    /// <summary>The offer's text, CRLF line ends.</summary>
    public string Sdp { get; }

    /// <summary>Of the session that comes of it.</summary>
    public string SessionId => Place.SessionId;

    internal ReservedPlace Place { get; }
}
