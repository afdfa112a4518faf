using Agent.Home;
using Agent.Home.Automations;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class MessageOutboxTests : TimeProvider
{
    private readonly List<string> _published = [];
    private readonly MessageOutbox _outbox;
    private bool _isThere = true;
    private long _seconds;

    public MessageOutboxTests() => _outbox = new MessageOutbox(TryPublish, this, NullLogger.Instance);

    public override long TimestampFrequency => 1;

    public override long GetTimestamp() => _seconds;

    private bool TryPublish(PublishAction message)
    {
        if (_isThere) _published.Add(message.Payload);
        return _isThere;
    }

    private void Send(int number) => _outbox.Send(new PublishAction("t", $"{number}"));

    [Fact]
    public void What_is_sent_while_the_broker_is_away_follows_in_its_order()
    {
        Send(1);
        _isThere = false;
        Send(2);
        Send(3);
        Assert.Equal(["1"], _published);
        _isThere = true;
        _outbox.Flush();
        Assert.Equal(["1", "2", "3"], _published);
        _outbox.Flush();
        _isThere = false;
        Send(4);
        _isThere = true;
        Send(5);
        Assert.Equal(["1", "2", "3", "4", "5"], _published);
        Assert.Equal(0, _outbox.Dropped);
    }

    [Fact]
    public void What_is_old_is_dropped_and_of_too_many_the_oldest()
    {
        _isThere = false;
        Send(0);
        _seconds = (long)MessageOutbox.Lifetime.TotalSeconds + 1;
        for (var i = 1; i < MessageOutbox.Capacity; i++) Send(i);
        _isThere = true;
        _outbox.Flush();
        Assert.Equal(1, _outbox.Dropped);
        Assert.Equal(MessageOutbox.Capacity - 1, _published.Count);

        _isThere = false;
        for (var i = 0; i <= MessageOutbox.Capacity; i++) Send(100 + i);
        _isThere = true;
        _outbox.Flush();
        Assert.Equal(2, _outbox.Dropped);
        Assert.DoesNotContain("100", _published);
        Assert.Equal("116", _published[^1]);
    }
}
