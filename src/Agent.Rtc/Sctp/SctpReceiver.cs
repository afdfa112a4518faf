using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>The receiving half of an association: which TSNs have arrived, and when that is acknowledged (RFC 9260 §6.2).</summary>
internal sealed class SctpReceiver
{
    /// <summary>TSNs after the cumulative one that are looked at; a power of two. Later ones are as good as lost, and come again.</summary>
    private const int TsnWindow = 2048;

    private const int BitsPerWord = 64;

    /// <summary>RFC 9260 §6.2: at least every second packet with DATA is acknowledged …</summary>
    private const int PacketsPerSack = 2;

    /// <summary>… and every one within 200 ms.</summary>
    private static readonly TimeSpan SackDelay = TimeSpan.FromMilliseconds(200);

    private readonly SctpReassembly _reassembly;
    private readonly int _streamCount;
    private readonly ulong[] _arrived = new ulong[TsnWindow / BitsPerWord];
    private uint _cumulative;
    private uint _highest;
    private int _packetsUnacknowledged;
    private bool _isSackDue;
    private bool _sawData;
    private bool _sawAnomaly;

    public SctpReceiver(ISctpHandler handler, int streamCount, uint peerInitialTsn)
    {
        _streamCount = streamCount;
        _reassembly = new SctpReassembly(handler, streamCount);
        _cumulative = _highest = peerInitialTsn - 1;
    }

    public uint CumulativeTsn => _cumulative;

    /// <summary>Room that is announced to the peer (a_rwnd).</summary>
    public uint Window => (uint)Math.Max(0, SctpReassembly.Budget - _reassembly.Held);

    /// <summary>What is kept of messages that are not complete or not their turn, as the window counts it.</summary>
    public int Held => _reassembly.Held;

    /// <summary>When a delayed SACK is due.</summary>
    public MonotonicTime SackAt { get; private set; } = MonotonicTime.Never;

    public bool IsSackDue => _isSackDue;

    /// <summary>Chunks that were thrown away: duplicates, those beyond the window, and of streams that do not exist.</summary>
    public long ChunksDropped { get; private set; }

    /// <returns>Null, or why the association must end.</returns>
    public string? HandleData(in SctpData data)
    {
        var offset = (int)(data.Tsn - _cumulative);
        var isNew = offset > 0 && !(offset <= TsnWindow && HasArrived(data.Tsn));
        // What fills the first gap is taken even where there is no room: nothing else makes room again.
        if (!isNew || offset > TsnWindow || (offset > 1 && Window < data.Payload.Length))
        {
            _sawAnomaly = true;
            ChunksDropped++;
            return null;
        }

        _sawData = true;
        _sawAnomaly |= data.IsImmediate || offset > 1;
        Mark(data.Tsn);
        if (data.Stream < _streamCount) return _reassembly.Add(data);

        // RFC 9260 §6.5 has an ERROR chunk for it; the acknowledgement is what keeps the sender from repeating it.
        ChunksDropped++;
        return null;
    }

    /// <summary>FORWARD TSN (RFC 3758 §3.6).</summary>
    public void HandleForwardTsn(in SctpForwardTsn forward)
    {
        _sawAnomaly = true;
        if (!SctpFormat.IsAfter(forward.CumulativeTsn, _cumulative)) return;

        if (forward.CumulativeTsn - _cumulative > TsnWindow)
        {
            Array.Clear(_arrived);
            _cumulative = forward.CumulativeTsn;
        }

        while (_cumulative != forward.CumulativeTsn)
        {
            _cumulative++;
            Unmark(_cumulative);
        }

        if (SctpFormat.IsAfter(_cumulative, _highest)) _highest = _cumulative;
        AdvanceCumulative();
        for (var i = 0; i < forward.SkipCount; i++)
        {
            var (stream, ssn) = forward.GetSkip(i);
            if (stream < _streamCount) _reassembly.SkipOrdered(stream, ssn);
        }

        _reassembly.SkipUnordered(forward.CumulativeTsn);
    }

    /// <summary>After each packet: decides when its DATA is acknowledged.</summary>
    public void EndPacket(MonotonicTime now)
    {
        if (_sawData)
        {
            _packetsUnacknowledged++;
            if (SackAt == MonotonicTime.Never) SackAt = now + SackDelay;
        }

        // RFC 9260 §6.2, §6.7: gaps and duplicates are reported at once.
        _isSackDue |= _sawAnomaly || (_sawData && _highest != _cumulative) || _packetsUnacknowledged >= PacketsPerSack;
        (_sawData, _sawAnomaly) = (false, false);
    }

    public void HandleTimeout(MonotonicTime now) => _isSackDue |= now >= SackAt;

    /// <summary>RFC 9260 §6.1: goes along with what is sent anyway, as its first chunk after control chunks.</summary>
    public bool TryWriteSack(ref SctpPacketWriter writer)
    {
        var most = (writer.Room - SctpSack.FixedLength) / SctpSack.GapLength;
        if (most < 0) return false;
        Span<byte> gaps = stackalloc byte[SctpFormat.MaximumPacketLength];
        var count = 0;
        for (var tsn = _cumulative + 1; count < most && !SctpFormat.IsAfter(tsn, _highest); tsn++)
        {
            if (!HasArrived(tsn)) continue;
            var gap = gaps[(count * SctpSack.GapLength)..];
            BinaryPrimitives.WriteUInt16BigEndian(gap, (ushort)(tsn - _cumulative));
            while (tsn != _highest && HasArrived(tsn + 1)) tsn++;
            BinaryPrimitives.WriteUInt16BigEndian(gap[2..], (ushort)(tsn - _cumulative));
            count++;
        }

        var value = writer.Add(SctpChunkType.Sack, 0, SctpSack.FixedLength + (count * SctpSack.GapLength));
        BinaryPrimitives.WriteUInt32BigEndian(value, _cumulative);
        BinaryPrimitives.WriteUInt32BigEndian(value[4..], Window);
        BinaryPrimitives.WriteUInt16BigEndian(value[8..], (ushort)count);
        gaps[..(count * SctpSack.GapLength)].CopyTo(value[SctpSack.FixedLength..]);
        _isSackDue = false;
        _packetsUnacknowledged = 0;
        SackAt = MonotonicTime.Never;
        return true;
    }

    /// <summary>The peer begins anew on a stream.</summary>
    public void ResetStream(ushort stream)
    {
        if (stream < _streamCount) _reassembly.Reset(stream);
    }

    public void Clear() => _reassembly.Clear();

    private void Mark(uint tsn)
    {
        _arrived[(tsn % TsnWindow) / BitsPerWord] |= 1UL << (int)(tsn % BitsPerWord);
        if (SctpFormat.IsAfter(tsn, _highest)) _highest = tsn;
        AdvanceCumulative();
    }

    private void AdvanceCumulative()
    {
        while (_cumulative != _highest && HasArrived(_cumulative + 1))
        {
            _cumulative++;
            Unmark(_cumulative);
        }
    }

    private bool HasArrived(uint tsn) => (_arrived[(tsn % TsnWindow) / BitsPerWord] & (1UL << (int)(tsn % BitsPerWord))) != 0;

    private void Unmark(uint tsn) => _arrived[(tsn % TsnWindow) / BitsPerWord] &= ~(1UL << (int)(tsn % BitsPerWord));
}
