namespace Agent.Rtc.Ice.Mdns;

/// <summary>Layout and numbers that the query and the response share (RFC 1035 §4, RFC 6762 §18).</summary>
internal static class MdnsFormat
{
    /// <summary>RFC 1035 §4.1.1.</summary>
    public const int HeaderLength = 12;

    /// <summary>QTYPE or CLASS, each of two bytes (RFC 1035 §4.1.2).</summary>
    public const int FieldLength = sizeof(ushort);

    /// <summary>RFC 1035 §2.3.4.</summary>
    public const int MaximumLabelLength = 63;

    /// <summary>RFC 1035 §2.3.4, as encoded.</summary>
    public const int MaximumNameLength = 255;

    /// <summary>A (RFC 1035 §3.2.2).</summary>
    public const ushort TypeA = 1;

    /// <summary>AAAA (RFC 3596 §2.1).</summary>
    public const ushort TypeAaaa = 28;

    /// <summary>The Internet class (RFC 1035 §3.2.4).</summary>
    public const ushort ClassInternet = 1;

    /// <summary>
    /// The top bit of the class: in a question "unicast response wanted", in a record "flush the cache" (RFC 6762 §5.4, §10.2).
    /// </summary>
    public const ushort ClassTopBit = 0x8000;

    /// <summary>The only domain of multicast DNS (RFC 6762 §3).</summary>
    public const string LocalDomain = "local";
}
