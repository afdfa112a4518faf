using Agent.Rtc.Sctp;

namespace Agent.Rtc.DataChannels;

public enum DataChannelState
{
    /// <summary>This side has asked for it, or will as soon as there is an association.</summary>
    Opening,
    Open,
    /// <summary>One side has ended it; the other has not confirmed.</summary>
    Closing,
    Closed,
}

/// <summary>A channel of a viewer, on the SCTP stream of its number each way. Belongs to its <see cref="DataChannelTransport"/>.</summary>
public sealed class DataChannel
{
    internal DataChannel(ushort id, string label, string protocol, SctpReliability reliability, bool isRemote)
    {
        (Id, Label, Protocol, Reliability, IsRemote) = (id, label, protocol, reliability, isRemote);
        State = isRemote ? DataChannelState.Open : DataChannelState.Opening;
    }

    public ushort Id { get; }

    public string Label { get; }

    public string Protocol { get; }

    public SctpReliability Reliability { get; }

    /// <summary>The peer has opened it.</summary>
    public bool IsRemote { get; }

    public DataChannelState State { get; internal set; }

    /// <summary>This side does not end it before.</summary>
    internal MonotonicTime MayEndAt { get; init; }

    internal bool IsIncomingReset { get; set; }

    internal bool IsOutgoingReset { get; set; }
}

/// <summary>Who uses the channels of one peer. Called on the session's thread within its calls; must return at once.</summary>
public interface IDataChannelHandler
{
    /// <summary>A channel can be used, whichever side asked for it.</summary>
    void OnOpened(DataChannel channel);

    /// <summary>A whole message; the bytes are good until the call returns.</summary>
    void OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isText);

    /// <summary>Nothing more comes or goes.</summary>
    void OnClosed(DataChannel channel);
}
