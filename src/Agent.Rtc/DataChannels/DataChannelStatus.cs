namespace Agent.Rtc.DataChannels;

/// <summary>A viewer's channels as the status shows them.</summary>
/// <param name="State">Of the SCTP association: "new" to "established", or "closed".</param>
/// <param name="CloseReason">Why it is over.</param>
/// <param name="Open">Labels of the channels in use.</param>
/// <param name="MessagesReceived">Whole messages.</param>
/// <param name="MessagesSent">Taken for sending.</param>
/// <param name="MessagesRefused">Not taken: too much was waiting.</param>
/// <param name="MessagesAbandoned">Given up on unreliable channels.</param>
/// <param name="Retransmissions">Fragments sent again.</param>
/// <param name="MessagesDropped">Received for no channel, or of an unknown kind.</param>
/// <param name="BufferedBytes">Waiting or on their way.</param>
public sealed record DataChannelStatus(
    string State, string? CloseReason, IReadOnlyList<string> Open, long MessagesReceived, long MessagesSent, long MessagesRefused, long MessagesAbandoned,
    long Retransmissions, long MessagesDropped, int BufferedBytes);
