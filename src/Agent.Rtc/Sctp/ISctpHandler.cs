namespace Agent.Rtc.Sctp;

/// <summary>Who is told what an association receives, within the call that feeds it.</summary>
internal interface ISctpHandler
{
    /// <summary>A whole message; the bytes are the association's own and good until the call returns.</summary>
    void OnMessage(ushort stream, uint ppid, ReadOnlySpan<byte> message);

    /// <summary>Messages can be sent.</summary>
    void OnEstablished();

    /// <summary>The peer has reset its side of a stream (RFC 6525 §5.2.2).</summary>
    void OnIncomingReset(ushort stream);

    /// <summary>The peer has confirmed that this side of a stream is reset, or never will.</summary>
    void OnOutgoingReset(ushort stream);

    /// <summary>It is over.</summary>
    void OnClosed(string reason);
}
