namespace Agent.Rtc.Srtp;

/// <summary>
/// The sliding list of packet indices already received (RFC 3711 §3.3.2, at least 64 wide). An index is recorded only after its
/// packet has been authenticated. <c>default</c> is an empty window.
/// </summary>
internal struct ReplayWindow
{
    /// <summary>Width in packets; wider than the 64 of RFC 3711 §3.3.2 because a burst of video is easily reordered by more.</summary>
    public const int Width = 128;

    private UInt128 _seen;
    private long _next;

    /// <summary>True if the index was seen before or has fallen out of the window.</summary>
    public readonly bool IsReplay(long index)
    {
        var age = _next - 1 - index;
        return age >= 0 && (age >= Width || (_seen >> (int)age & UInt128.One) != UInt128.Zero);
    }

    /// <summary>Records an authenticated index.</summary>
    public void Accept(long index)
    {
        var advance = index + 1 - _next;
        if (advance > 0)
        {
            _seen = advance >= Width ? UInt128.Zero : _seen << (int)advance;
            _next = index + 1;
        }

        _seen |= UInt128.One << (int)(_next - 1 - index);
    }
}
