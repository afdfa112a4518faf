using Agent.Rtc.Sctp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Sctp;

public sealed class SctpAllocationTests
{
    [Theory]
    [InlineData(100, null)]
    [InlineData(100, 0)]
    [InlineData(5000, null)]
    public void Messages_there_and_acknowledgements_back_allocate_nothing(int length, int? retransmissions)
    {
        var (counter, buffer, now) = (new Counter(), new byte[1500], MonotonicTime.From(TimeSpan.FromHours(1)));
        var a = new SctpAssociation(5000, 5000, counter, new SeededRandomSource(1));
        var b = new SctpAssociation(5000, 5000, counter, new SeededRandomSource(2));
        var reliability = new SctpReliability(retransmissions is not null, (ushort?)retransmissions);
        var message = new byte[length];
        a.Start(now);
        b.Start(now);
        Exchange(50);
        Assert.Equal(50, counter.Messages);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(500);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(550, counter.Messages);

        void Exchange(int count)
        {
            Pass();
            for (var i = 0; i < count; i++)
            {
                Assert.True(a.TrySend(1, 51, message, reliability, now));
                Pass();
                now += TimeSpan.FromMilliseconds(250); // past the delayed acknowledgement
                b.HandleTimeout(now);
                Pass();
            }
        }

        void Pass()
        {
            while (Move(a, b) | Move(b, a))
            {
            }
        }

        bool Move(SctpAssociation from, SctpAssociation to)
        {
            if (!from.TryWritePacket(buffer, now, out var written)) return false;
            to.HandlePacket(buffer.AsSpan(0, written), now);
            return true;
        }
    }

    private sealed class Counter : ISctpHandler
    {
        internal int Messages { get; private set; }

        public void OnMessage(ushort stream, uint ppid, ReadOnlySpan<byte> message) => Messages++;

        public void OnEstablished()
        {
        }

        public void OnIncomingReset(ushort stream)
        {
        }

        public void OnOutgoingReset(ushort stream)
        {
        }

        public void OnClosed(string reason)
        {
        }
    }
}
