using System.Security.Cryptography;
using Agent.Rtc;
using Agent.Rtc.Dtls;
using Agent.Rtc.Srtp;
using Agent.Transport.Dtls;

namespace Agent.Transport.Tests.Dtls;

public sealed class OpenSslDtlsEndpointTests
{
    private const int KeyingMaterialBuffer = 128;

    [Fact]
    public void Both_roles_connect_and_export_the_same_keys()
    {
        using var pair = new DtlsPair();
        pair.Run();

        AssertConnected(pair);
        Assert.Equal(DtlsPair.ClientContext.SupportsDtls13 ? "DTLSv1.3" : "DTLSv1.2", pair.Client.ProtocolVersion);
        Assert.Equal(MonotonicTime.Never, pair.Client.NextTimeout);
        Assert.Equal(MonotonicTime.Never, pair.Server.NextTimeout);
    }

    [Fact]
    public void No_datagram_is_longer_than_the_mtu_and_each_holds_whole_records()
    {
        using var pair = new DtlsPair();
        pair.Run();

        foreach (var datagram in pair.FromClient.Concat(pair.FromServer))
        {
            Assert.InRange(datagram.Length, 1, OpenSslDtlsEndpoint.Mtu);
            var position = 0;
            while (position < datagram.Length)
                position += 13 + (datagram[position + 11] << 8 | datagram[position + 12]); // RFC 6347 §4.1 record header
            Assert.Equal(datagram.Length, position);
        }
    }

    [Fact]
    public void A_wrong_fingerprint_fails_both_sides_and_no_key_leaves()
    {
        var wrong = new DtlsFingerprint("sha-256", SHA256.HashData("another certificate"u8));
        foreach (var (clientExpects, serverExpects) in new[] { (wrong, (DtlsFingerprint?)null), (null, wrong) })
        {
            using var pair = new DtlsPair(clientExpects, serverExpects);
            pair.Run();

            Assert.Equal(DtlsState.Failed, pair.Client.State);
            Assert.Equal(DtlsState.Failed, pair.Server.State);
            var (careful, other) = clientExpects is null ? (pair.Server, pair.Client) : (pair.Client, pair.Server);
            Assert.Contains(Convert.ToHexString(wrong.Value.Span[..1]), careful.Failure, StringComparison.Ordinal);
            Assert.Contains("SDP announced", careful.Failure, StringComparison.Ordinal);
            Assert.Contains("bad certificate", other.Failure, StringComparison.Ordinal);
            AssertNoKeys(pair.Client);
            AssertNoKeys(pair.Server);
        }
    }

    [Theory]
    [InlineData("sha-1")]
    [InlineData("SHA-256")]
    [InlineData("sha-384")]
    [InlineData("sha-512")]
    public void Every_hash_function_of_the_sdp_that_is_still_sound_is_checked(string algorithm)
    {
        var certificate = DtlsPair.ServerCertificate.Certificate.Span;
        var digest = algorithm switch
        {
#pragma warning disable CA5350 // The digest is what an old peer's SDP carries; nothing is protected with it here.
            "sha-1" => SHA1.HashData(certificate),
#pragma warning restore CA5350
            "sha-384" => SHA384.HashData(certificate),
            "sha-512" => SHA512.HashData(certificate),
            _ => SHA256.HashData(certificate),
        };

        using var pair = new DtlsPair(new DtlsFingerprint(algorithm, digest));
        pair.Run();
        AssertConnected(pair);
    }

    [Theory]
    [InlineData("md5", 16, "does not take")]
    [InlineData("md2", 16, "does not take")]
    [InlineData("", 32, "does not take")]
    [InlineData("sha-256", 20, "cut or altered")]
    [InlineData("sha-256", 0, "cut or altered")]
    public void A_fingerprint_that_proves_nothing_is_refused_with_a_reason(string algorithm, int length, string reason)
    {
        using var endpoint = DtlsPair.ClientContext.CreateEndpoint();
        endpoint.Start(DtlsRole.Client, new DtlsFingerprint(algorithm, new byte[length]), DtlsPair.Now);

        Assert.Equal(DtlsState.Failed, endpoint.State);
        Assert.Contains(reason, endpoint.Failure, StringComparison.Ordinal);
        Assert.False(endpoint.TryDequeueTransmit(new byte[OpenSslDtlsEndpoint.Mtu], out _));
        AssertNoKeys(endpoint);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Lost_datagrams_are_sent_again_when_the_timer_runs_out(int seed)
    {
        var random = new Random(seed);
        var lost = 0;
        using var pair = new DtlsPair
        {
            // Every side loses its first datagrams for certain, then one in four.
            Network = (_, number, datagram) =>
            {
                if (number >= 2 && random.Next(4) != 0)
                    return datagram;
                lost++;
                return null;
            },
        };
        pair.Run();

        AssertConnected(pair);
        Assert.True(lost >= 4, $"{lost} datagrams were lost");
    }

    [Fact]
    public void The_final_flight_is_sent_again_when_the_peer_asks_with_a_retransmission()
    {
        // Loses what the server sends with its Finished: afterwards the server is Connected and only the client has a timer.
        using var pair = new DtlsPair();
        var lastFlightLost = false;
        pair.Network = (fromClient, _, datagram) =>
        {
            if (fromClient || lastFlightLost || pair.Server.State != DtlsState.Connected)
                return datagram;
            lastFlightLost = true;
            return null;
        };
        pair.Run();

        Assert.True(lastFlightLost);
        AssertConnected(pair);
    }

    [Fact]
    public void Duplicated_and_reordered_datagrams_do_not_disturb_the_handshake()
    {
        using var pair = new DtlsPair();
        var held = new Dictionary<bool, byte[]?> { [true] = null, [false] = null };
        pair.Network = (fromClient, _, datagram) =>
        {
            // Swaps neighbours: each datagram waits until the next one, then both arrive in the wrong order, the second twice.
            var to = fromClient ? pair.Server : pair.Client;
            if (held[fromClient] is not { } first)
            {
                held[fromClient] = datagram;
                return null;
            }

            held[fromClient] = null;
            to.HandleDatagram(datagram, DtlsPair.Now);
            to.HandleDatagram(datagram, DtlsPair.Now);
            return first;
        };
        pair.Run();
        AssertConnected(pair);
    }

    [Fact]
    public void Close_notify_closes_the_other_side()
    {
        using var pair = new DtlsPair();
        pair.Run();
        pair.Client.Close();
        pair.Run();

        Assert.Equal(DtlsState.Closed, pair.Client.State);
        Assert.Equal(DtlsState.Closed, pair.Server.State);
        AssertNoKeys(pair.Client);
        Assert.Null(pair.Server.Failure);
    }

    [Fact]
    public void An_endpoint_that_was_never_started_or_is_over_ignores_everything()
    {
        using var endpoint = DtlsPair.ServerContext.CreateEndpoint();
        endpoint.HandleDatagram(new byte[100], DtlsPair.Now);
        endpoint.HandleTimeout(DtlsPair.Now);
        AssertNoKeys(endpoint);
        Assert.Equal(DtlsState.New, endpoint.State);

        endpoint.Dispose();
        endpoint.HandleDatagram(new byte[100], DtlsPair.Now);
        endpoint.HandleTimeout(DtlsPair.Now);
        endpoint.Close();
        endpoint.Dispose();
        Assert.Equal(DtlsState.Closed, endpoint.State);
        Assert.Equal(MonotonicTime.Never, endpoint.NextTimeout);
        Assert.False(endpoint.TryDequeueTransmit(new byte[OpenSslDtlsEndpoint.Mtu], out _));
    }

    internal static byte[] ExportKeys(IDtlsEndpoint endpoint, SrtpProfile expectedProfile)
    {
        var keys = new byte[KeyingMaterialBuffer];
        Assert.True(endpoint.TryExportSrtpKeyingMaterial(out var profile, keys, out var length));
        Assert.Equal(expectedProfile, profile);
        Assert.Equal(SrtpContext.GetKeyingMaterialLength(profile), length);
        return keys[..length];
    }

    internal static void AssertConnected(DtlsPair pair)
    {
        Assert.Null(pair.Client.Failure);
        Assert.Null(pair.Server.Failure);
        Assert.Equal(DtlsState.Connected, pair.Client.State);
        Assert.Equal(DtlsState.Connected, pair.Server.State);
        var keys = ExportKeys(pair.Client, SrtpProfile.AeadAes128Gcm);
        Assert.Equal(keys, ExportKeys(pair.Server, SrtpProfile.AeadAes128Gcm));
        Assert.Contains(keys, static b => b != 0);
    }

    private static void AssertNoKeys(IDtlsEndpoint endpoint)
    {
        var keys = new byte[KeyingMaterialBuffer];
        Assert.False(endpoint.TryExportSrtpKeyingMaterial(out var profile, keys, out var length));
        Assert.Equal(SrtpProfile.None, profile);
        Assert.Equal(0, length);
        Assert.All(keys, static b => Assert.Equal(0, b));
    }
}
