using Agent.Transport.Channels;

namespace Agent.Transport.Tests.Channels;

public sealed class ViewerInboxTests
{
    private readonly ViewerInbox _inbox = new();

    [Fact]
    public async Task A_viewer_that_floods_uses_up_its_share_and_no_other_viewers()
    {
        var (flood, other) = (new ViewerShare(), new ViewerShare());
        for (var i = 0; i < 1000; i++) _inbox.Post(Message("flood"), flood);
        _inbox.Post(Message("other"), other);
        Assert.Equal(1000 - ViewerShare.Size, _inbox.Dropped);
        for (var i = 0; i < ViewerShare.Size; i++) Assert.Equal("flood", (await _inbox.ReadAsync(default)).Channel.Client);
        Assert.Equal("other", (await _inbox.ReadAsync(default)).Channel.Client);

        // What was taken makes room.
        _inbox.Post(Message("flood"), flood);
        Assert.Equal(1000 - ViewerShare.Size, _inbox.Dropped);
    }

    [Fact]
    public async Task All_together_fill_it_up_to_its_bound_and_a_message_that_is_dropped_takes_no_share()
    {
        var shares = Enumerable.Range(0, 20).Select(_ => new ViewerShare()).ToArray();
        foreach (var share in shares)
        {
            for (var i = 0; i < ViewerShare.Size; i++) _inbox.Post(Message("all"), share);
        }

        Assert.Equal((20 * ViewerShare.Size) - ViewerInbox.Capacity, _inbox.Dropped);
        for (var i = 0; i < ViewerInbox.Capacity; i++) await _inbox.ReadAsync(default);
        var dropped = _inbox.Dropped;
        for (var i = 0; i < ViewerShare.Size; i++) _inbox.Post(Message("last"), shares[^1]);
        Assert.Equal(dropped, _inbox.Dropped);
    }

    private static ViewerMessage Message(string client) => new(new ViewerChannel("session", 0, "control", "whep", client), new byte[1], 1);
}
