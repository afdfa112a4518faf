using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests;

public sealed class PeerSessionBadInputTests
{
    /// <summary>The first byte of each protocol of RFC 7983 §7, and of the gaps between them; 0xC8 second makes RTCP.</summary>
    private static readonly byte[] FirstBytes = [0, 1, 3, 4, 16, 20, 22, 63, 64, 79, 80, 127, 128, 144, 191, 192, 255];

    [Fact]
    public void Garbage_during_setup_and_media_is_counted_and_disturbs_nothing()
    {
        using var scenario = new PeerSessionScenario(1).Create();
        var random = new Random(99);
        for (var i = 0; i < 50; i++)
        {
            SendGarbage();
            scenario.Network.Run(TimeSpan.FromMilliseconds(20));
        }

        Assert.Equal(PeerState.Connected, scenario.Session.State);
        scenario.Stream(60, SendGarbage);
        scenario.Network.Run(TimeSpan.FromMilliseconds(500));
        scenario.AssertEverythingArrived();
        Assert.True(scenario.Session.GetStatus().DatagramsDropped > 1000);

        void SendGarbage()
        {
            foreach (var first in FirstBytes)
            {
                // DTLS from a proven address is the DTLS library's to judge; here it comes from elsewhere.
                var from = first is >= 20 and <= 63 ? PeerSessionScenario.Address("198.51.100.9", 9) : scenario.Viewer.Addresses[0];
                var garbage = new byte[random.Next(1, 1400)];
                random.NextBytes(garbage);
                garbage[0] = first;
                if (garbage.Length > 1 && first is 128 && random.Next(2) == 0)
                    garbage[1] = 0xC8;
                scenario.Network.Send(garbage, from, scenario.Agent.Addresses[0]);
            }

            scenario.Network.Send([], scenario.Viewer.Addresses[0], scenario.Agent.Addresses[0]);
        }
    }

    [Fact]
    public void Truncated_mutated_and_replayed_datagrams_of_the_viewer_disturb_nothing()
    {
        var random = new Random(98);
        using var scenario = new PeerSessionScenario(2, new NetworkConditions { Loss = 0.05 });
        var seen = new List<byte[]>();
        scenario.Network.Blocks = (from, _, datagram) =>
        {
            if (from == scenario.Viewer.Addresses[0] && datagram.Length > 2)
                seen.Add(datagram.ToArray());
            return false;
        };
        scenario.Connect();
        scenario.Stream(60);
        scenario.Network.Blocks = null;
        scenario.Network.Conditions = new NetworkConditions();
        foreach (var datagram in seen)
        {
            for (var length = 0; length < datagram.Length; length++)
                Deliver(datagram[..length]);
            for (var i = 0; i < 20; i++)
            {
                var mutated = (byte[])datagram.Clone();
                mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
                Deliver(mutated);
            }

            Deliver((byte[])datagram.Clone());
        }

        scenario.Stream(30);
        scenario.Network.Run(TimeSpan.FromMilliseconds(500));
        Assert.Equal(PeerState.Connected, scenario.Session.State);
        scenario.AssertEverythingArrived();
        Assert.True(seen.Count > 10, $"{seen.Count} datagrams were seen");

        void Deliver(byte[] datagram)
        {
            // What the fake handshake takes for an alert has no cryptography to protect it.
            if (DatagramClassifier.Classify(datagram) != DatagramKind.Dtls)
                scenario.Session.HandleDatagram(datagram, scenario.Agent.Addresses[0], scenario.Viewer.Addresses[0], scenario.Network.Now);
        }
    }
}
