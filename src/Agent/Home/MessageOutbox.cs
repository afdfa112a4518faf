using Agent.Home.Automations;

namespace Agent.Home;

/// <summary>
/// The automations' messages on their way to the broker. While it is away the newest few wait for a short time, so that what happens at the
/// agent's start or while the broker restarts is told; older news would be a lie. Thread-safe.
/// </summary>
/// <param name="tryPublish">False while the broker is away.</param>
/// <param name="clock">For their age.</param>
/// <param name="log">Says what was dropped.</param>
internal sealed partial class MessageOutbox(Func<PublishAction, bool> tryPublish, TimeProvider clock, ILogger log)
{
    /// <summary>The oldest is dropped for another one.</summary>
    public const int Capacity = 16;

    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Queue<(PublishAction Message, long Since)> _waiting = [];
    private long _dropped;

    /// <summary>Messages that never left.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Publishes, now or as soon as the broker is back.</summary>
    public void Send(PublishAction message)
    {
        lock (_lock)
        {
            if (_waiting.Count == Capacity) Drop(_waiting.Dequeue().Message, "too many wait for the broker");
            _waiting.Enqueue((message, clock.GetTimestamp()));
        }

        Flush();
    }

    /// <summary>Publishes what waits, as far as the broker takes it.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            while (_waiting.TryPeek(out var next))
            {
                if (clock.GetElapsedTime(next.Since) > Lifetime) Drop(next.Message, "the broker was away for too long");
                else if (!tryPublish(next.Message)) return;
                _waiting.Dequeue();
            }
        }
    }

    private void Drop(PublishAction message, string reason)
    {
        Interlocked.Increment(ref _dropped);
        LogDropped(message.Topic, reason);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "An automation's message for {Topic} is dropped: {Reason}")]
    private partial void LogDropped(string topic, string reason);
}
