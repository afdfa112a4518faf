namespace Agent.Rtc.Sctp;

/// <summary>How much may be on the way over the one path: slow start, congestion avoidance, fast recovery (RFC 9260 §7.2). In bytes.</summary>
internal sealed class CongestionWindow
{
    /// <summary>RFC 9260 §7.2.1, PMDCS: what a packet carries besides its common header.</summary>
    private const int PacketData = SctpFormat.MaximumPacketLength - SctpFormat.CommonHeaderLength;

    /// <summary>RFC 9260 §7.2.1: bytes that a new association may have on the way.</summary>
    private const int InitialBound = 4404;

    private int _threshold = int.MaxValue;
    private int _acknowledgedInAvoidance;
    private uint _recoveryEnd;

    public int Size { get; private set; } = Math.Min(4 * PacketData, Math.Max(2 * PacketData, InitialBound));

    public bool IsInFastRecovery { get; private set; }

    /// <summary>The cumulative TSN has moved on.</summary>
    /// <param name="bytes">Newly acknowledged.</param>
    /// <param name="wasFull">The window had been used up before.</param>
    /// <param name="cumulativeTsn">The new one.</param>
    public void OnAcknowledged(int bytes, bool wasFull, uint cumulativeTsn)
    {
        if (IsInFastRecovery)
        {
            // §7.2.4: the window stays until everything that was on the way at the loss is acknowledged.
            IsInFastRecovery = SctpFormat.IsAfter(_recoveryEnd, cumulativeTsn);
            return;
        }

        if (Size <= _threshold)
        {
            if (wasFull) Size += Math.Min(bytes, PacketData);
            return;
        }

        _acknowledgedInAvoidance += bytes;
        if (_acknowledgedInAvoidance < Size || !wasFull) return;
        _acknowledgedInAvoidance -= Size;
        Size += PacketData;
    }

    /// <summary>§7.2.4: a loss that later acknowledgements tell of; one for each window.</summary>
    /// <returns>False in recovery already.</returns>
    public bool OnFastRetransmission(uint highestTsn)
    {
        if (IsInFastRecovery) return false;
        Shrink();
        Size = _threshold;
        (IsInFastRecovery, _recoveryEnd) = (true, highestTsn);
        return true;
    }

    /// <summary>§7.2.3: nothing was acknowledged in time.</summary>
    public void OnTimeout()
    {
        Shrink();
        Size = PacketData;
        IsInFastRecovery = false;
    }

    private void Shrink()
    {
        _threshold = Math.Max(Size / 2, 4 * PacketData);
        _acknowledgedInAvoidance = 0;
    }
}
