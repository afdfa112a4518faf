namespace Agent.Transport;

/// <summary>The loop's totals, written by its thread and read by any.</summary>
internal sealed class LoopCounters
{
    internal long CommandsDropped;
    internal long SessionFaults;

    private long _unmatched;
    private long _viewers;
    private long _received;
    private long _rejected;
    private long _sent;
    private long _sendErrors;

    /// <summary>The loop's: datagrams that no viewer knows.</summary>
    internal long DatagramsUnmatched
    {
        get => Volatile.Read(ref _unmatched) + Volatile.Read(ref _rejected);
    }

    internal int Viewers => (int)Volatile.Read(ref _viewers);

    internal long DatagramsReceived => Volatile.Read(ref _received);

    internal long DatagramsSent => Volatile.Read(ref _sent);

    internal long SendErrors => Volatile.Read(ref _sendErrors);

    internal void CountUnmatched() => Volatile.Write(ref _unmatched, _unmatched + 1);

    internal void Publish(int viewers, UdpTransport transport)
    {
        Volatile.Write(ref _viewers, viewers);
        Volatile.Write(ref _received, transport.DatagramsReceived);
        Volatile.Write(ref _rejected, transport.DatagramsRejected);
        Volatile.Write(ref _sent, transport.DatagramsSent);
        Volatile.Write(ref _sendErrors, transport.SendErrors);
    }
}
