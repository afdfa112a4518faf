namespace Agent.Rtc.Congestion;

/// <summary>What the growth of the one-way delay says about the link.</summary>
public enum BandwidthUsage
{
    Normal,
    /// <summary>Queues grow: more is sent than the link carries.</summary>
    Overusing,
    /// <summary>Queues drain.</summary>
    Underusing,
}
