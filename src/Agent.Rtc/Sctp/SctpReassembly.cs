using System.Buffers;

namespace Agent.Rtc.Sctp;

/// <summary>
/// Puts messages together and in order (RFC 9260 §6.5, §6.6, §6.9). Whole messages whose turn it is pass through without being kept; the
/// rest is kept within <see cref="Budget"/>, so that no peer makes it grow.
/// </summary>
/// <param name="handler">Gets the messages.</param>
/// <param name="streamCount">Streams of the peer that are taken.</param>
internal sealed class SctpReassembly(ISctpHandler handler, int streamCount)
{
    /// <summary>The longest message taken, announced as a=max-message-size (RFC 8841 §6).</summary>
    public const int MaximumMessageLength = 64 * 1024;

    /// <summary>Bytes that may be kept, each chunk counted with <see cref="ChunkOverhead"/>.</summary>
    public const int Budget = 128 * 1024;

    /// <summary>What a kept chunk costs besides its bytes, in memory and in time to look at; without it, chunks of one byte would be nearly free.</summary>
    private const int ChunkOverhead = 256;

    private readonly ushort[] _expected = new ushort[streamCount];
    private Chunk[] _chunks = new Chunk[16]; // by TSN
    private int _count;

    /// <summary>Bytes kept.</summary>
    public int Held { get; private set; }

    /// <summary>Takes a chunk that has not been there before, of a stream that exists.</summary>
    /// <returns>Null, or why the association must end.</returns>
    public string? Add(in SctpData data)
    {
        if (data is { IsBegin: true, IsEnd: true })
        {
            if (data.Payload.Length > MaximumMessageLength) return TooLong;
            if (data.IsUnordered || data.Ssn == _expected[data.Stream])
            {
                handler.OnMessage(data.Stream, data.Ppid, data.Payload);
                if (!data.IsUnordered) Advance(data.Stream);
                return null;
            }
        }

        if (Held + data.Payload.Length + ChunkOverhead > Budget + MaximumMessageLength) return "the peer sent more than the announced window";
        return TryDeliverAround(Insert(data));
    }

    /// <summary>FORWARD TSN (RFC 3758 §3.6): messages of a stream up to this one are given up; those that are complete are still delivered.</summary>
    public void SkipOrdered(ushort stream, ushort ssn)
    {
        if (SctpFormat.IsAfter(_expected[stream], ssn)) return;
        for (var i = 0; i < _count; i++)
        {
            if (IsOrdered(i, stream) && _chunks[i].IsBegin && !SctpFormat.IsAfter(_chunks[i].Ssn, ssn) && TryFindEnd(i, out var end))
            {
                Deliver(i, end);
                i--;
            }
        }

        Keep((Stream: stream, Ssn: ssn), static (chunk, last) => chunk.IsUnordered || chunk.Stream != last.Stream || SctpFormat.IsAfter(chunk.Ssn, last.Ssn));
        _expected[stream] = ssn;
        Advance(stream);
    }

    /// <summary>FORWARD TSN: fragments of unordered messages up to this TSN will never be complete.</summary>
    public void SkipUnordered(uint tsn) => Keep(tsn, static (chunk, last) => !chunk.IsUnordered || SctpFormat.IsAfter(chunk.Tsn, last));

    /// <summary>The peer begins anew on a stream (RFC 6525 §5.2.2).</summary>
    public void Reset(ushort stream)
    {
        Keep(stream, static (chunk, reset) => chunk.Stream != reset);
        _expected[stream] = 0;
    }

    /// <summary>Gives everything back.</summary>
    public void Clear() => Keep(false, static (_, keep) => keep);

    private static string TooLong => $"the peer sent a message of more than {MaximumMessageLength} bytes, which a=max-message-size rules out";

    private int Insert(in SctpData data)
    {
        if (_count == _chunks.Length) Array.Resize(ref _chunks, 2 * _count);
        var at = _count;
        while (at > 0 && SctpFormat.IsAfter(_chunks[at - 1].Tsn, data.Tsn)) at--;
        Array.Copy(_chunks, at, _chunks, at + 1, _count - at);
        var buffer = ArrayPool<byte>.Shared.Rent(data.Payload.Length);
        data.Payload.CopyTo(buffer);
        _chunks[at] = new Chunk(data.Tsn, data.Stream, data.Ssn, data.Ppid, data.Flags, buffer, data.Payload.Length);
        _count++;
        Held += data.Payload.Length + ChunkOverhead;
        return at;
    }

    /// <summary>Delivers the message that a chunk belongs to if it is complete and its turn has come.</summary>
    private string? TryDeliverAround(int index)
    {
        var begin = index;
        while (!_chunks[begin].IsBegin && begin > 0 && BelongTogether(begin - 1)) begin--;
        var isComplete = TryFindEnd(begin, out var end);
        var length = 0;
        for (var i = begin; i <= end; i++) length += _chunks[i].Length;
        if (length > MaximumMessageLength) return TooLong;
        if (!isComplete) return null;
        var (stream, isUnordered) = (_chunks[begin].Stream, _chunks[begin].IsUnordered);
        if (!isUnordered && _chunks[begin].Ssn != _expected[stream]) return null;
        Deliver(begin, end);
        if (!isUnordered) Advance(stream);
        return null;
    }

    /// <summary>The turn has come of what follows on a stream, and is there already.</summary>
    private void Advance(ushort stream)
    {
        _expected[stream]++;
        for (var i = 0; i < _count; i++)
        {
            if (!IsOrdered(i, stream) || !_chunks[i].IsBegin || _chunks[i].Ssn != _expected[stream] || !TryFindEnd(i, out var end)) continue;
            Deliver(i, end);
            _expected[stream]++;
            i = -1;
        }
    }

    /// <returns>Whether the chunks from a first fragment on make a message; <paramref name="end"/> is the last that follows without a gap.</returns>
    private bool TryFindEnd(int begin, out int end)
    {
        end = begin;
        while (!_chunks[end].IsEnd && end + 1 < _count && BelongTogether(end) && !_chunks[end + 1].IsBegin) end++;
        return _chunks[begin].IsBegin && _chunks[end].IsEnd;
    }

    private bool BelongTogether(int index)
    {
        ref readonly var one = ref _chunks[index];
        ref readonly var next = ref _chunks[index + 1];
        return next.Tsn == one.Tsn + 1 && next.Stream == one.Stream && next.IsUnordered == one.IsUnordered && (one.IsUnordered || next.Ssn == one.Ssn);
    }

    private bool IsOrdered(int index, ushort stream) => _chunks[index].Stream == stream && !_chunks[index].IsUnordered;

    private void Deliver(int begin, int end)
    {
        var first = _chunks[begin];
        if (begin == end)
        {
            handler.OnMessage(first.Stream, first.Ppid, first.Buffer.AsSpan(0, first.Length));
        }
        else
        {
            var length = 0;
            for (var i = begin; i <= end; i++) length += _chunks[i].Length;
            var message = ArrayPool<byte>.Shared.Rent(length);
            var position = 0;
            for (var i = begin; i <= end; i++)
            {
                _chunks[i].Buffer.AsSpan(0, _chunks[i].Length).CopyTo(message.AsSpan(position));
                position += _chunks[i].Length;
            }

            handler.OnMessage(first.Stream, first.Ppid, message.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(message);
        }

        Remove(begin, end + 1 - begin);
    }

    private void Remove(int begin, int count)
    {
        for (var i = begin; i < begin + count; i++) Release(_chunks[i]);
        Array.Copy(_chunks, begin + count, _chunks, begin, _count - begin - count);
        Array.Clear(_chunks, _count - count, count);
        _count -= count;
    }

    private void Keep<TState>(TState state, Func<Chunk, TState, bool> isUseful)
    {
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            if (isUseful(_chunks[i], state)) _chunks[kept++] = _chunks[i];
            else Release(_chunks[i]);
        }

        Array.Clear(_chunks, kept, _count - kept);
        _count = kept;
    }

    private void Release(in Chunk chunk)
    {
        Held -= chunk.Length + ChunkOverhead;
        ArrayPool<byte>.Shared.Return(chunk.Buffer);
    }

    private readonly record struct Chunk(uint Tsn, ushort Stream, ushort Ssn, uint Ppid, byte Flags, byte[] Buffer, int Length)
    {
        public bool IsBegin => (Flags & SctpFormat.DataBegin) != 0;

        public bool IsEnd => (Flags & SctpFormat.DataEnd) != 0;

        public bool IsUnordered => (Flags & SctpFormat.DataUnordered) != 0;
    }
}
