using System.Text;

namespace Agent.Rtc.Ice;

/// <summary>The credentials of one ICE generation (between restarts), as the bytes that go on the wire.</summary>
internal sealed class IceSessionKeys
{
    private readonly byte[] _localUfrag;

    /// <summary>USERNAME of the peer's requests: "local:remote", or before the peer's credentials are known its beginning.</summary>
    private byte[] _incomingUsername;

    public IceSessionKeys(IceCredentials local)
    {
        _localUfrag = Encoding.UTF8.GetBytes(local.Ufrag);
        _incomingUsername = [.. _localUfrag, (byte)':'];
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
        var remoteUfrag = Encoding.UTF8.GetBytes(remote.Ufrag);
        OutgoingUsername = [.. remoteUfrag, (byte)':', .. _localUfrag];
        _incomingUsername = [.. _localUfrag, (byte)':', .. remoteUfrag];
    }

    /// <summary>
    /// RFC 8445 §7.3, and the peer's part as well (§7.2.2). Chromium checks from the ports of a restart with this side's credentials of before
    /// until it has those of after; were it answered, it would stay with that pair, whose other direction it then refuses.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> username) =>
        HasRemote ? username.SequenceEqual(_incomingUsername) : username.StartsWith(_incomingUsername);
}
