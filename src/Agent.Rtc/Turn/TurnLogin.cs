using System.Security.Cryptography;
using System.Text;
using Agent.Rtc.Stun;

namespace Agent.Rtc.Turn;

/// <summary>Long-term credentials (RFC 8489 §9.2): user name and password, with the realm and nonce that the server gave.</summary>
internal sealed class TurnLogin(string userName, string password)
{
    private readonly byte[] _userName = Encoding.UTF8.GetBytes(userName);
    private byte[] _realm = [];
    private byte[] _nonce = [];

    /// <summary>MD5 of user name, realm and password (RFC 8489 §9.2.2); empty before the server has told its realm.</summary>
    public byte[] Key { get; private set; } = [];

    public bool HasKey => Key.Length > 0;

    /// <summary>Takes what a 401 or 438 carries.</summary>
    public void Learn(ReadOnlySpan<byte> realm, ReadOnlySpan<byte> nonce)
    {
        _nonce = nonce.ToArray();
        if (!realm.IsEmpty)
        {
            _realm = realm.ToArray();
#pragma warning disable CA5351 // RFC 8489 §9.2.2 fixes MD5 for servers without password algorithms, which are those there are.
            Key = MD5.HashData([.. _userName, (byte)':', .. _realm, (byte)':', .. Encoding.UTF8.GetBytes(password)]);
#pragma warning restore CA5351
        }
    }

    /// <summary>Signs a request (RFC 8489 §9.2.3.2).</summary>
    public void Sign(ref StunMessageWriter writer)
    {
        writer.WriteAttribute(StunAttributeType.Username, _userName);
        writer.WriteAttribute(StunAttributeType.Realm, _realm);
        writer.WriteAttribute(StunAttributeType.Nonce, _nonce);
        writer.WriteMessageIntegrity(Key);
    }
}
