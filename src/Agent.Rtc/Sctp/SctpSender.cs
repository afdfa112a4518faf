using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <summary>
/// The sending half of an association: fragments messages, keeps them until they are acknowledged or given up, and sends no more than
/// congestion and the peer's window allow (RFC 9260 §6.1, §6.3, §7; RFC 3758 §3.5).
/// </summary>
/// <param name="streamCount">Streams that the peer takes.</param>
/// <param name="initialTsn">The first TSN.</param>
/// <param name="peerWindow">The peer's a_rwnd.</param>
/// <param name="canForward">The peer understands FORWARD TSN; otherwise every message is reliable.</param>
internal sealed class SctpSender(int streamCount, uint initialTsn, uint peerWindow, bool canForward)
{
    /// <summary>Bytes of messages that may wait or be on their way; more is refused.</summary>
    public const int BufferLimit = 256 * 1024;

    /// <summary>Messages that may wait: empty ones take no bytes.</summary>
    private const int MaximumMessages = 1024;

    /// <summary>Fragments on their way; a power of two.</summary>
    private const int MaximumOutstanding = 512;

    /// <summary>RFC 9260 §7.2.4.</summary>
    private const int MissesForRetransmission = 3;

    private readonly ushort[] _nextSsn = new ushort[streamCount];
    private readonly Queue<OutboundMessage> _unsent = new();
    private readonly Stack<OutboundMessage> _pool = new();
    private readonly Fragment[] _fragments = new Fragment[MaximumOutstanding];
    private readonly CongestionWindow _window = new();
    private RetransmissionTimeout _timeout = new();
    private uint _nextTsn = initialTsn;
    private int _outstanding;
    private int _lost;
    private uint _measuredTsn;
    private bool _isMeasuring;
    private long _peerWindow = peerWindow;
    private bool _mayFastRetransmit;
    private bool _isForwardDue;

    private enum FragmentState : byte
    {
        InFlight,
        Acknowledged,
        Lost,
        Abandoned,
    }

    /// <summary>Bytes of messages that wait or are on their way.</summary>
    public int Buffered { get; private set; }

    /// <summary>Bytes on their way.</summary>
    public int InFlight { get; private set; }

    /// <summary>When the oldest fragment is taken for lost (T3-rtx).</summary>
    public MonotonicTime RetransmitAt { get; private set; } = MonotonicTime.Never;

    /// <summary>Timeouts in a row that nothing was acknowledged between.</summary>
    public int TimeoutsInARow { get; private set; }

    public TimeSpan Timeout => _timeout.Current;

    public TimeSpan RoundTrip => _timeout.RoundTrip;

    public int WindowSize => _window.Size;

    public long Retransmissions { get; private set; }

    public long MessagesAbandoned { get; private set; }

    /// <summary>The last TSN given out.</summary>
    public uint LastTsn => _nextTsn - 1;

    public bool IsEmpty => _unsent.Count == 0 && _outstanding == 0;

    private uint CumulativeTsn => _nextTsn - (uint)_outstanding - 1;

    /// <summary>Queues a message; false, if too much is waiting.</summary>
    public bool TryQueue(ushort stream, uint ppid, ReadOnlySpan<byte> data, in SctpReliability reliability, MonotonicTime now)
    {
        if (stream >= streamCount || Buffered + data.Length > BufferLimit || _unsent.Count >= MaximumMessages) return false;
        var message = _pool.Count > 0 ? _pool.Pop() : new OutboundMessage();
        message.Set(stream, ppid, data, canForward ? reliability : reliability with { MaximumRetransmissions = null, Lifetime = null }, now);
        _unsent.Enqueue(message);
        Buffered += data.Length;
        return true;
    }

    /// <summary>Whether a message of a stream waits for its first transmission.</summary>
    public bool HasUnsent(ushort stream)
    {
        foreach (var message in _unsent)
        {
            if (message.Stream == stream) return true;
        }

        return false;
    }

    /// <summary>SSNs of a stream begin anew (RFC 6525 §5.1.2).</summary>
    public void ResetStream(ushort stream)
    {
        if (stream < streamCount) _nextSsn[stream] = 0;
    }

    /// <summary>SACK (RFC 9260 §6.2.1). What acknowledges TSNs that were never sent is ignored.</summary>
    public void HandleSack(in SctpSack sack, MonotonicTime now)
    {
        var advance = (int)(sack.CumulativeTsn - CumulativeTsn);
        if (advance < 0 || advance > _outstanding) return;
        TimeoutsInARow = 0;
        var wasFull = InFlight + SctpFormat.MaximumFragmentLength > _window.Size;
        var acknowledged = 0;
        for (var i = 0; i < advance; i++) acknowledged += TakeOldest(now);
        acknowledged += MarkGaps(sack, now, out var highestNew);
        if (advance > 0) _window.OnAcknowledged(acknowledged, wasFull, sack.CumulativeTsn);
        CountMisses(highestNew, advance > 0, sack, now);
        _peerWindow = Math.Max(0, (long)sack.Window - InFlight);
        if (advance > 0 || _outstanding == 0) RetransmitAt = _outstanding > 0 ? now + Timeout : MonotonicTime.Never;
        _isForwardDue |= canForward && IsOldestAbandoned();
    }

    /// <summary>T3-rtx (RFC 9260 §6.3.3).</summary>
    public void HandleTimeout(MonotonicTime now)
    {
        if (now < RetransmitAt) return;
        TimeoutsInARow++;
        _isMeasuring = false;
        _timeout.BackOff();
        _window.OnTimeout();
        for (var i = 0; i < _outstanding; i++)
        {
            ref var fragment = ref At(CumulativeTsn + 1 + (uint)i);
            if (fragment.State != FragmentState.InFlight) continue;
            fragment.Misses = 0;
            Lose(ref fragment, now);
        }

        RetransmitAt = now + Timeout;
        _isForwardDue |= canForward && IsOldestAbandoned();
    }

    /// <summary>Adds FORWARD TSN and as much DATA as is due and fits.</summary>
    public void Write(ref SctpPacketWriter writer, MonotonicTime now)
    {
        if (_isForwardDue) TryWriteForwardTsn(ref writer);
        WriteLost(ref writer, now);
        _mayFastRetransmit = false;
        if (_lost == 0) WriteUnsent(ref writer, now);
        if (_outstanding > 0 && RetransmitAt == MonotonicTime.Never) RetransmitAt = now + Timeout;
    }

    /// <summary>Gives everything back.</summary>
    public void Clear()
    {
        while (_outstanding > 0) TakeOldest(MonotonicTime.Zero);
        while (_unsent.TryDequeue(out var message)) Retire(message);
        (_lost, InFlight, RetransmitAt) = (0, 0, MonotonicTime.Never);
    }

    private ref Fragment At(uint tsn) => ref _fragments[tsn % MaximumOutstanding];

    private bool IsOldestAbandoned() => _outstanding > 0 && At(CumulativeTsn + 1).State == FragmentState.Abandoned;

    private bool HasWindowFor(int length) => InFlight < _window.Size && (length <= _peerWindow || InFlight == 0);

    private static bool IsGivenUp(OutboundMessage message, int transmissions, MonotonicTime now) =>
        message.IsAbandoned || transmissions >= message.MaximumTransmissions || now >= message.ExpiresAt;

    /// <summary>The cumulative TSN passes the oldest fragment.</summary>
    /// <returns>Bytes newly acknowledged by it.</returns>
    private int TakeOldest(MonotonicTime now)
    {
        var tsn = CumulativeTsn + 1;
        ref var fragment = ref At(tsn);
        var bytes = fragment.State == FragmentState.Abandoned ? 0 : Acknowledge(ref fragment, tsn, now);
        var message = fragment.Message!;
        fragment = default;
        _outstanding--;
        message.Outstanding--;
        if (message.Outstanding == 0 && (message.Sent == message.Length || message.IsAbandoned)) Retire(message);
        return bytes;
    }

    /// <returns>Its length, or 0 if it was acknowledged before.</returns>
    private int Acknowledge(ref Fragment fragment, uint tsn, MonotonicTime now)
    {
        if (fragment.State is FragmentState.Acknowledged or FragmentState.Abandoned) return 0;
        if (fragment.State == FragmentState.InFlight) InFlight -= fragment.Length;
        else _lost--;
        fragment.State = FragmentState.Acknowledged;

        // Karn's algorithm (RFC 9260 §6.3.1 C5): what was sent twice tells no round trip.
        if (_isMeasuring && tsn == _measuredTsn)
        {
            _isMeasuring = false;
            if (fragment.Transmissions == 1) _timeout.Measure(now - fragment.SentAt);
        }

        return fragment.Length;
    }

    private int MarkGaps(in SctpSack sack, MonotonicTime now, out uint highestNew)
    {
        var bytes = 0;
        var last = 0;
        highestNew = sack.CumulativeTsn;
        for (var i = 0; i < sack.GapCount; i++)
        {
            var (start, end) = sack.GetGap(i);

            // Blocks are in order and apart, of what was sent; beyond the first that is not, nothing can be believed.
            if (start <= last || end < start || end > _outstanding) break;
            for (int offset = start; offset <= end; offset++)
            {
                var tsn = sack.CumulativeTsn + (uint)offset;
                var newly = Acknowledge(ref At(tsn), tsn, now);
                if (newly > 0) highestNew = tsn;
                bytes += newly;
            }

            last = end;
        }

        return bytes;
    }

    /// <summary>Fast retransmission (RFC 9260 §7.2.4), by the highest TSN that is newly acknowledged.</summary>
    private void CountMisses(uint highestNew, bool hasAdvanced, in SctpSack sack, MonotonicTime now)
    {
        var bound = highestNew;
        if (_window.IsInFastRecovery && hasAdvanced && sack.GapCount > 0)
        {
            // In recovery every acknowledgement that moves on tells of all that it leaves out.
            var end = sack.GetGap(sack.GapCount - 1).End;
            if (end <= _outstanding) bound = sack.CumulativeTsn + end;
        }

        for (var tsn = CumulativeTsn + 1; SctpFormat.IsAfter(bound, tsn); tsn++)
        {
            // The count goes on past the bound: what is lost once more waits for the timer.
            ref var fragment = ref At(tsn);
            if (fragment.State != FragmentState.InFlight || ++fragment.Misses != MissesForRetransmission) continue;
            if (_window.OnFastRetransmission(LastTsn)) _mayFastRetransmit = true;
            Lose(ref fragment, now);
        }
    }

    private void Lose(ref Fragment fragment, MonotonicTime now)
    {
        InFlight -= fragment.Length;
        fragment.State = FragmentState.Lost;
        _lost++;
        if (IsGivenUp(fragment.Message!, fragment.Transmissions, now)) Abandon(fragment.Message!);
    }

    /// <summary>All fragments of a message are given up together (RFC 3758 §3.5 A3); those that have no TSN yet never get one.</summary>
    private void Abandon(OutboundMessage message)
    {
        if (!message.IsAbandoned) MessagesAbandoned++;
        message.IsAbandoned = true;
        for (var tsn = CumulativeTsn + 1; tsn != _nextTsn; tsn++)
        {
            ref var fragment = ref At(tsn);
            if (fragment.Message != message || fragment.State == FragmentState.Abandoned) continue;
            if (fragment.State == FragmentState.InFlight) InFlight -= fragment.Length;
            if (fragment.State == FragmentState.Lost) _lost--;
            fragment.State = FragmentState.Abandoned;
        }

        if (_unsent.TryPeek(out var head) && head == message)
        {
            _unsent.Dequeue();
            if (message.Outstanding == 0) Retire(message);
        }

        _isForwardDue |= IsOldestAbandoned();
    }

    private void Retire(OutboundMessage message)
    {
        Buffered -= message.Length;
        message.Release();
        if (_pool.Count < MaximumOutstanding) _pool.Push(message);
    }

    private void WriteLost(ref SctpPacketWriter writer, MonotonicTime now)
    {
        for (var tsn = CumulativeTsn + 1; _lost > 0 && tsn != _nextTsn; tsn++)
        {
            ref var fragment = ref At(tsn);
            if (fragment.State != FragmentState.Lost) continue;
            if (IsGivenUp(fragment.Message!, fragment.Transmissions, now))
            {
                Abandon(fragment.Message!);
                continue;
            }

            // §7.2.4: the packet of a fast retransmission goes out whatever the window says.
            if (!_mayFastRetransmit && !HasWindowFor(fragment.Length)) return;
            if (writer.Room < fragment.Length + SctpFormat.DataHeaderLength - SctpFormat.TlvHeaderLength) return;
            Retransmissions++;
            _lost--;
            WriteData(ref writer, ref fragment, tsn, now);
        }
    }

    private void WriteUnsent(ref SctpPacketWriter writer, MonotonicTime now)
    {
        while (_unsent.TryPeek(out var message) && _outstanding < MaximumOutstanding)
        {
            if (now >= message.ExpiresAt)
            {
                Abandon(message);
                continue;
            }

            var length = Math.Min(message.Length - message.Sent, SctpFormat.MaximumFragmentLength);
            if (!HasWindowFor(length) || writer.Room < length + SctpFormat.DataHeaderLength - SctpFormat.TlvHeaderLength) return;
            if (message.Sent == 0 && !message.IsUnordered) message.Ssn = _nextSsn[message.Stream]++;
            var tsn = _nextTsn++;
            _outstanding++;
            ref var fragment = ref At(tsn);
            fragment = new Fragment { Message = message, Offset = message.Sent, Length = length };
            message.Outstanding++;
            message.Sent += length;
            if (message.Sent == message.Length) _unsent.Dequeue();
            if (!_isMeasuring) (_isMeasuring, _measuredTsn) = (true, tsn);
            WriteData(ref writer, ref fragment, tsn, now);
        }
    }

    private void WriteData(ref SctpPacketWriter writer, ref Fragment fragment, uint tsn, MonotonicTime now)
    {
        var message = fragment.Message!;
        fragment.State = FragmentState.InFlight;
        fragment.SentAt = now;
        fragment.Transmissions++;
        InFlight += fragment.Length;
        _peerWindow = Math.Max(0, _peerWindow - fragment.Length);
        var flags = (fragment.Offset == 0 ? SctpFormat.DataBegin : 0) | (fragment.Offset + fragment.Length == message.Length ? SctpFormat.DataEnd : 0)
            | (message.IsUnordered ? SctpFormat.DataUnordered : 0);
        var value = writer.Add(SctpChunkType.Data, (byte)flags, SctpFormat.DataHeaderLength - SctpFormat.TlvHeaderLength + fragment.Length);
        SctpData.Write(value, tsn, message.Stream, message.IsUnordered ? (ushort)0 : message.Ssn, message.Ppid, message.Buffer.AsSpan(fragment.Offset, fragment.Length));
    }

    /// <summary>RFC 3758 §3.5 C: up to the last of the oldest fragments that are given up, with what ordered streams thereby miss.</summary>
    private void TryWriteForwardTsn(ref SctpPacketWriter writer)
    {
        const int MaximumSkips = 64;
        Span<(ushort Stream, ushort Ssn)> skips = stackalloc (ushort, ushort)[MaximumSkips];
        var count = 0;
        var tsn = CumulativeTsn + 1;
        for (; tsn != _nextTsn && At(tsn).State == FragmentState.Abandoned; tsn++)
        {
            var message = At(tsn).Message!;
            if (message.IsUnordered) continue;
            var at = 0;
            while (at < count && skips[at].Stream != message.Stream) at++;
            if (at == MaximumSkips) break;
            skips[at] = (message.Stream, message.Ssn);
            count = Math.Max(count, at + 1);
        }

        var length = SctpForwardTsn.FixedLength + (count * SctpForwardTsn.SkipLength);
        if (tsn == CumulativeTsn + 1) _isForwardDue = false;
        if (!_isForwardDue || writer.Room < length) return;
        _isForwardDue = false;
        var value = writer.Add(SctpChunkType.ForwardTsn, 0, length);
        BinaryPrimitives.WriteUInt32BigEndian(value, tsn - 1);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(value[(SctpForwardTsn.FixedLength + (i * SctpForwardTsn.SkipLength))..], skips[i].Stream);
            BinaryPrimitives.WriteUInt16BigEndian(value[(SctpForwardTsn.FixedLength + (i * SctpForwardTsn.SkipLength) + 2)..], skips[i].Ssn);
        }
    }

    private struct Fragment
    {
        public OutboundMessage? Message;
        public int Offset;
        public int Length;
        public int Transmissions;
        public int Misses;
        public MonotonicTime SentAt;
        public FragmentState State;
    }
}
