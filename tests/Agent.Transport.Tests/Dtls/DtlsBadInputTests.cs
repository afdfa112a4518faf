using Agent.Rtc.Dtls;

namespace Agent.Transport.Tests.Dtls;

public sealed class DtlsBadInputTests
{
    [Fact]
    public void Garbage_during_the_handshake_does_not_disturb_it()
    {
        var random = new Random(11);
        using var pair = new DtlsPair();
        pair.Network = (fromClient, _, datagram) =>
        {
            var to = fromClient ? pair.Server : pair.Client;
            for (var i = 0; i < 50; i++)
            {
                var garbage = new byte[random.Next(0, 1500)];
                random.NextBytes(garbage);
                to.HandleDatagram(garbage, DtlsPair.Now);
            }

            return datagram;
        };
        pair.Run();
        OpenSslDtlsEndpointTests.AssertConnected(pair);
    }

    [Fact]
    public void A_datagram_cut_at_any_length_does_not_disturb_the_handshake()
    {
        using var pair = new DtlsPair();
        pair.Network = (fromClient, _, datagram) =>
        {
            // Cut inside its first record; after whole records the rest would be a legitimate, shorter datagram.
            var to = fromClient ? pair.Server : pair.Client;
            var firstRecord = 13 + (datagram[11] << 8 | datagram[12]);
            for (var length = 0; length < firstRecord; length++)
                to.HandleDatagram(datagram.AsSpan(0, length), DtlsPair.Now);
            return datagram;
        };
        pair.Run();
        OpenSslDtlsEndpointTests.AssertConnected(pair);
    }

    [Fact]
    public void Mutated_handshake_datagrams_never_throw_and_never_yield_differing_keys()
    {
        // Before there are keys nothing authenticates a record, so a mutation may fail the handshake; it must say why.
        var random = new Random(12);
        var connected = 0;
        for (var round = 0; round < 200; round++)
        {
            using var pair = new DtlsPair();
            pair.Network = (_, _, datagram) =>
            {
                if (random.Next(3) != 0)
                    return datagram;
                var mutated = (byte[])datagram.Clone();
                mutated[random.Next(mutated.Length)] ^= (byte)(1 << random.Next(8));
                (random.Next(2) == 0 ? pair.Client : pair.Server).HandleDatagram(mutated, DtlsPair.Now);
                return datagram;
            };
            pair.Run(waitForTimers: false);
            foreach (var endpoint in new[] { pair.Client, pair.Server })
                Assert.True(endpoint.State != DtlsState.Failed || endpoint.Failure is { Length: > 20 });
            if (pair.Client.State == DtlsState.Connected && pair.Server.State == DtlsState.Connected)
            {
                connected++;
                OpenSslDtlsEndpointTests.AssertConnected(pair);
            }
        }

        Assert.True(connected > 0, "not one handshake survived its mutations");
    }

    [Fact]
    public void Nothing_that_is_not_authentic_disturbs_a_connected_association()
    {
        var random = new Random(13);
        using var pair = new DtlsPair();
        pair.Run();
        foreach (var datagram in pair.FromClient.Concat(pair.FromServer).ToArray())
        {
            for (var length = 0; length <= datagram.Length; length++)
            {
                pair.Client.HandleDatagram(datagram.AsSpan(0, length), DtlsPair.Now);
                pair.Server.HandleDatagram(datagram.AsSpan(0, length), DtlsPair.Now);
            }

            for (var i = 0; i < 500; i++)
            {
                var mutated = (byte[])datagram.Clone();
                for (var flips = random.Next(1, 8); flips > 0; flips--)
                    mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
                pair.Client.HandleDatagram(mutated, DtlsPair.Now);
                pair.Server.HandleDatagram(mutated, DtlsPair.Now);
            }
        }

        pair.Run();
        OpenSslDtlsEndpointTests.AssertConnected(pair);

        // The association still works: the authentic close_notify gets through.
        pair.Server.Close();
        pair.Run();
        Assert.Equal(DtlsState.Closed, pair.Client.State);
    }
}
