using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Agent.Rtc;

/// <summary>What carries datagrams from one transport address to another.</summary>
public enum TransportProtocol : byte
{
    Udp,
    /// <summary>One packet after another by RFC 4571 framing (RFC 6544 §3).</summary>
    Tcp,
}

/// <summary>
/// An IPv4 or IPv6 address with a port of a transport protocol (RFC 8445 §4 "transport address"), held without a heap object so that it
/// can travel with every packet; two protocols' ports are different addresses. An IPv4-mapped IPv6 address is held as IPv4.
/// </summary>
public readonly record struct TransportAddress
{
    private const int IPv4Length = 4;
    private const int IPv6Length = 16;

    private readonly UInt128 _address;

    private TransportAddress(UInt128 address, bool isIPv4, ushort port, uint scopeId, TransportProtocol protocol = TransportProtocol.Udp)
    {
        _address = address;
        IsIPv4 = isIPv4;
        Port = port;
        ScopeId = scopeId;
        Protocol = protocol;
    }

    /// <summary>True for IPv4, false for IPv6.</summary>
    public bool IsIPv4 { get; }

    /// <summary>The port in host byte order.</summary>
    public ushort Port { get; }

    /// <summary>The interface index of a link-local IPv6 address, otherwise 0.</summary>
    public uint ScopeId { get; }

    /// <summary>Whose port it is.</summary>
    public TransportProtocol Protocol { get; }

    /// <summary>True for a TCP port.</summary>
    public bool IsTcp => Protocol == TransportProtocol.Tcp;

    /// <summary>True for <c>default</c>: no address at all.</summary>
    public bool IsNone => this == default;

    /// <summary>True for 0.0.0.0 and ::.</summary>
    public bool IsUnspecified => _address == UInt128.Zero;

    /// <summary>False for unspecified, multicast (RFC 1112 §4, RFC 4291 §2.7), broadcast and reserved addresses: no single host has them.</summary>
    public bool IsUnicast => !IsUnspecified && (IsIPv4 ? (uint)_address >> 28 < 0xE : (byte)(_address >> 120) != 0xFF);

    /// <summary>Bytes that <see cref="WriteAddress"/> writes: 4 or 16.</summary>
    public int AddressLength => IsIPv4 ? IPv4Length : IPv6Length;

    /// <summary>Builds a UDP one from an address in network byte order.</summary>
    /// <param name="address">4 or 16 bytes.</param>
    /// <param name="port">The port in host byte order.</param>
    /// <param name="scopeId">Interface index of a link-local IPv6 address.</param>
    /// <exception cref="ArgumentException">The address is neither 4 nor 16 bytes long.</exception>
    public static TransportAddress FromBytes(ReadOnlySpan<byte> address, ushort port, uint scopeId = 0)
    {
        switch (address.Length)
        {
            case IPv4Length:
                return new TransportAddress(BinaryPrimitives.ReadUInt32BigEndian(address), true, port, 0);
            case IPv6Length:
                var value = BinaryPrimitives.ReadUInt128BigEndian(address);
                var mappedPrefix = (UInt128)0xFFFF << 32;
                return value >> 32 == mappedPrefix >> 32
                    ? new TransportAddress((uint)value, true, port, 0)
                    : new TransportAddress(value, false, port, scopeId);
            default:
                throw new ArgumentException($"An IP address has 4 or 16 bytes, not {address.Length}.", nameof(address));
        }
    }

    /// <summary>Builds a UDP one from the framework's address type.</summary>
    public static TransportAddress From(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[IPv6Length];
        address.TryWriteBytes(bytes, out var length);
        var scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        return FromBytes(bytes[..length], (ushort)port, scope);
    }

    /// <summary>Parses a literal IPv4 or IPv6 address; a host name is refused.</summary>
    public static bool TryParse(ReadOnlySpan<char> address, ushort port, out TransportAddress result)
    {
        if (IPAddress.TryParse(address, out var parsed))
        {
            result = From(parsed, port);
            return true;
        }

        result = default;
        return false;
    }

    /// <summary>Writes the address in network byte order.</summary>
    /// <returns>4 or 16.</returns>
    public int WriteAddress(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_address);
        }
        else
        {
            BinaryPrimitives.WriteUInt128BigEndian(destination, _address);
        }

        return AddressLength;
    }

    /// <summary>The same address with another port.</summary>
    public TransportAddress WithPort(ushort port) => new(_address, IsIPv4, port, ScopeId, Protocol);

    /// <summary>The same address and number, of another protocol.</summary>
    public TransportAddress WithProtocol(TransportProtocol protocol) => new(_address, IsIPv4, Port, ScopeId, protocol);

    /// <summary>The same address on another link; an IPv4 address has none.</summary>
    public TransportAddress WithScope(uint scopeId) => IsIPv4 ? this : new(_address, false, Port, scopeId, Protocol);

    /// <summary>The address without the port.</summary>
    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[IPv6Length];
        var length = WriteAddress(bytes);
        return IsIPv4 ? new IPAddress(bytes[..length]) : new IPAddress(bytes[..length], ScopeId);
    }

    /// <summary>"192.0.2.1:3478" or "[2001:db8::1]:3478"; a TCP one ends in "/tcp".</summary>
    public override string ToString() => (IsIPv4 ? $"{ToIPAddress()}:{Port}" : $"[{ToIPAddress()}]:{Port}") + (IsTcp ? "/tcp" : "");
}
