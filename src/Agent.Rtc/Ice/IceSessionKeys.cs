using System.Text;

namespace Agent.Rtc.Ice;

/// <summary>The credentials of one ICE generation (between restarts), as the bytes that go on the wire.</summary>
internal sealed class IceSessionKeys
{
    private readonly byte[] _localUfrag;

    public IceSessionKeys(IceCredentials local)
    {
        _localUfrag = Encoding.UTF8.GetBytes(local.Ufrag);
        LocalPassword = Encoding.UTF8.GetBytes(local.Password);
    }

    /// <summary>Signs responses, and requests from the peer.</summary>
    public byte[] LocalPassword { get; }

    /// <summary>Signs requests to the peer; empty until the peer's credentials are known.</summary>
    public byte[] RemotePassword { get; private set; } = [];

    /// <summary>USERNAME of requests to the peer: "remote:local" (RFC 8445 §7.2.2).</summary>
    public byte[] OutgoingUsername { get; private set; } = [];

    public bool HasRemote => RemotePassword.Length > 0;

    public void SetRemote(IceCredentials remote)
    {
        RemotePassword = Encoding.UTF8.GetBytes(remote.Password);
        OutgoingUsername = [.. Encoding.UTF8.GetBytes(remote.Ufrag), (byte)':', .. _localUfrag];
    }

    /// <summary>RFC 8445 §7.3: the part before the colon must be the local ufrag.</summary>
    public bool Matches(ReadOnlySpan<byte> username) =>
        username.Length > _localUfrag.Length && username[_localUfrag.Length] == ':' && username.StartsWith(_localUfrag);
}
