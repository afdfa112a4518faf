using System.Buffers.Binary;

namespace Agent.Rtc.Sctp;

/// <content>Stream resets (RFC 6525), by which data channels are closed (RFC 8831 §6.7).</content>
internal sealed partial class SctpAssociation
{
    /// <summary>RFC 6525 §3.1: a chunk has two parameters at most; a packet, a few chunks.</summary>
    private const int MaximumResponses = 4;

    /// <summary>Streams in one request, so that it fits a packet with room for others.</summary>
    private const int MaximumStreamsInReset = 64;

    /// <summary>RFC 6525 §4.1: request and response sequence number and last TSN, before the stream numbers.</summary>
    private const int OutgoingResetLength = 12;

    private readonly List<ushort> _streamsToReset = [];
    private readonly List<ushort> _streamsInReset = [];
    private readonly (uint Request, SctpResetResult Result)[] _responses = new (uint, SctpResetResult)[MaximumResponses];
    private int _responseCount;
    private uint _nextRequest;
    private uint _expectedRequest;
    private SctpResetResult _lastResult;
    private MonotonicTime _resetAt = MonotonicTime.Never;
    private int _resetAttempts;
    private bool _isResetDue;
    private uint _lastTsnOfReset;

    /// <summary>Ends this side's use of a stream, once what is queued on it has been sent; the handler is told when the peer has agreed.</summary>
    public void ResetStream(ushort stream, MonotonicTime now)
    {
        if (State is SctpState.Closed or SctpState.New || _streamsToReset.Contains(stream) || _streamsInReset.Contains(stream)) return;
        if (_sender is not null && !_peer.HasReConfig)
        {
            _handler.OnOutgoingReset(stream);
            return;
        }

        _streamsToReset.Add(stream);
        BeginReset(now);
    }

    /// <summary>One request at a time (RFC 6525 §5.1.1), for every stream that has nothing left to send.</summary>
    private void BeginReset(MonotonicTime now)
    {
        if (_sender is null || _streamsToReset.Count == 0 || _streamsInReset.Count > 0) return;
        for (var i = _streamsToReset.Count - 1; i >= 0 && _streamsInReset.Count < MaximumStreamsInReset; i--)
        {
            if (_sender.HasUnsent(_streamsToReset[i])) continue;
            _streamsInReset.Add(_streamsToReset[i]);
            _streamsToReset.RemoveAt(i);
        }

        if (_streamsInReset.Count == 0) return;
        _lastTsnOfReset = _sender.LastTsn;
        _isResetDue = true;
        _resetAttempts = 0;
        _resetAt = now + _sender.Timeout;
    }

    private void HandleResetTimeout(MonotonicTime now)
    {
        if (++_resetAttempts > MaximumRetransmissions)
        {
            Close("The peer did not answer the request to close a data channel.");
            return;
        }

        _isResetDue = true;
        _resetAt = now + Later(_resetAttempts);
    }

    private void WriteReset(ref SctpPacketWriter writer, MonotonicTime now)
    {
        BeginReset(now);
        const int ResponseLength = 2 * sizeof(uint);
        Span<byte> response = stackalloc byte[ResponseLength];
        for (; _responseCount > 0 && writer.Room >= SctpFormat.TlvHeaderLength + ResponseLength; _responseCount--)
        {
            BinaryPrimitives.WriteUInt32BigEndian(response, _responses[_responseCount - 1].Request);
            BinaryPrimitives.WriteUInt32BigEndian(response[sizeof(uint)..], (uint)_responses[_responseCount - 1].Result);
            SctpPacketWriter.WriteParameter(
                writer.Add(SctpChunkType.ReConfig, 0, SctpFormat.TlvHeaderLength + ResponseLength), (ushort)SctpParameterType.ReConfigResponse, response);
        }

        var length = OutgoingResetLength + (_streamsInReset.Count * sizeof(ushort));
        if (!_isResetDue || writer.Room < SctpFormat.TlvHeaderLength + length) return;
        _isResetDue = false;
        Span<byte> request = stackalloc byte[length];
        BinaryPrimitives.WriteUInt32BigEndian(request, _nextRequest);
        BinaryPrimitives.WriteUInt32BigEndian(request[4..], _expectedRequest - 1);
        BinaryPrimitives.WriteUInt32BigEndian(request[8..], _lastTsnOfReset);
        for (var i = 0; i < _streamsInReset.Count; i++)
            BinaryPrimitives.WriteUInt16BigEndian(request[(OutgoingResetLength + (i * sizeof(ushort)))..], _streamsInReset[i]);
        SctpPacketWriter.WriteParameter(
            writer.Add(SctpChunkType.ReConfig, 0, SctpFormat.TlvHeaderLength + length), (ushort)SctpParameterType.OutgoingSsnResetRequest, request);
    }

    private bool HandleReConfig(ReadOnlySpan<byte> value, MonotonicTime now)
    {
        var parameters = new SctpTlvReader(value);
        while (parameters.TryRead(out var parameter))
        {
            if (parameter.Value.Length < 2 * sizeof(uint)) return false;
            var number = BinaryPrimitives.ReadUInt32BigEndian(parameter.Value);
            switch ((SctpParameterType)parameter.Type)
            {
                case SctpParameterType.OutgoingSsnResetRequest when parameter.Value.Length >= OutgoingResetLength:
                    HandleRequest(number, parameter.Value);
                    break;
                case SctpParameterType.IncomingSsnResetRequest or SctpParameterType.SsnTsnResetRequest
                    or SctpParameterType.AddOutgoingStreams or SctpParameterType.AddIncomingStreams:
                    HandleRequest(number, default);
                    break;
                case SctpParameterType.ReConfigResponse:
                    HandleResponse(number, (SctpResetResult)BinaryPrimitives.ReadUInt32BigEndian(parameter.Value[sizeof(uint)..]), now);
                    break;
            }
        }

        return true;
    }

    /// <param name="number">The request's sequence number.</param>
    /// <param name="outgoingReset">Its value; empty for other requests, which WebRTC does not use.</param>
    private void HandleRequest(uint number, ReadOnlySpan<byte> outgoingReset)
    {
        // What was answered "in progress" is asked again, by some with the same number and by some with the next.
        var isRepeated = number == _expectedRequest - 1;
        var result = SctpResetResult.BadSequenceNumber;
        if (number == _expectedRequest || (isRepeated && _lastResult == SctpResetResult.InProgress))
        {
            result = outgoingReset.IsEmpty ? SctpResetResult.Denied : ResetIncoming(outgoingReset);
            _lastResult = result;
            _expectedRequest = number + 1;
        }
        else if (isRepeated)
        {
            result = _lastResult;
        }

        if (_responseCount < MaximumResponses) _responses[_responseCount++] = (number, result);
    }

    private SctpResetResult ResetIncoming(ReadOnlySpan<byte> request)
    {
        if (SctpFormat.IsAfter(BinaryPrimitives.ReadUInt32BigEndian(request[8..]), _receiver!.CumulativeTsn)) return SctpResetResult.InProgress;
        var streams = request[OutgoingResetLength..];

        // RFC 6525 §4.1: no number stands for all.
        for (ushort stream = 0; streams.IsEmpty && stream < StreamCount; stream++) ResetIncoming(stream);
        for (; streams.Length >= sizeof(ushort); streams = streams[sizeof(ushort)..]) ResetIncoming(BinaryPrimitives.ReadUInt16BigEndian(streams));
        return SctpResetResult.Performed;
    }

    private void ResetIncoming(ushort stream)
    {
        _receiver!.ResetStream(stream);
        _handler.OnIncomingReset(stream);
    }

    private void HandleResponse(uint number, SctpResetResult result, MonotonicTime now)
    {
        if (number != _nextRequest || _streamsInReset.Count == 0) return;
        _nextRequest++;
        _resetAttempts = 0;
        if (result == SctpResetResult.InProgress)
        {
            _resetAt = now + _sender!.Timeout;
            return;
        }

        _resetAt = MonotonicTime.Never;
        _isResetDue = false;
        var streams = _streamsInReset.ToArray();
        _streamsInReset.Clear();
        foreach (var stream in streams)
        {
            _sender!.ResetStream(stream);
            _handler.OnOutgoingReset(stream);
        }

        BeginReset(now);
    }
}
