using System.Buffers.Binary;
using System.Text;
using Agent.Rtc.Ice.Mdns;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Ice;

public sealed class MdnsTests
{
    private const string Name = "6030748f-cd98-4969-9005-584ac032a4b9.local";

    // Captured from Chromium, see Vectors/Mdns/README.md.
    private static readonly byte[] Announcement = TestVectors.ReadHex("Mdns/chromium-a-response.hex");
    private static readonly byte[] NegativeResponse = TestVectors.ReadHex("Mdns/chromium-negative-response.hex");

    [Fact]
    public void A_query_has_one_question_in_the_layout_of_RFC_1035()
    {
        var buffer = new byte[512];
        var length = MdnsQuery.WriteQuery(buffer, "ab-1.local", 0x1234);
        Assert.Equal("12340000000100000000000004" + "61622D31" + "05" + "6C6F63616C" + "00" + "00010001", Convert.ToHexString(buffer, 0, length));

        length = MdnsQuery.WriteQuery(buffer, "ab-1.LOCAL.", 0, MdnsQuestionType.Aaaa, unicastResponse: true);
        Assert.Equal("00000000000100000000000004" + "61622D31" + "05" + "6C6F63616C" + "00" + "001C8001", Convert.ToHexString(buffer, 0, length));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".local")]
    [InlineData("local")]
    [InlineData("example.com")]
    [InlineData("a.b.local")]
    [InlineData("a..local")]
    [InlineData("ä.local")]
    [InlineData("a b.local")]
    [InlineData("a.local..")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.local")]
    public void A_name_that_is_no_mdns_candidate_name_makes_no_query(string name)
    {
        Assert.Equal(0, MdnsQuery.WriteQuery(new byte[512], name, 0));
        Assert.False(MdnsQuery.IsCandidateName(name));
    }

    [Fact]
    public void The_address_in_Chromiums_response_is_read()
    {
        Assert.Equal(["192.0.2.2:0"], Read(Announcement, Name));
        Assert.Equal(["192.0.2.2:0"], Read(Announcement, Name.ToUpperInvariant() + "."));
        Assert.Empty(Read(Announcement, "a" + Name[1..]));
    }

    [Fact]
    public void An_address_among_the_additional_records_is_read() => Assert.Equal(["192.0.2.2:0"], Read(NegativeResponse, Name));

    [Fact]
    public void Both_families_and_compressed_names_are_read()
    {
        var response = Build(
            answers: 2, additional: 1,
            NameBytes("x.local"), Record(1, 0x8001, 120, [192, 0, 2, 9]),
            [0xC0, 12], Record(28, 1, 120, Convert.FromHexString("FE800000000000000000000000000001")),
            [1, (byte)'y', 0xC0, 14], Record(1, 1, 120, [192, 0, 2, 10])); // 14 is "local" in the first name.
        Assert.Equal(["192.0.2.9:0", "[fe80::1]:0"], Read(response, "x.local"));
        Assert.Equal(["192.0.2.10:0"], Read(response, "y.local"));
    }

    [Fact]
    public void Goodbyes_queries_and_foreign_classes_yield_nothing()
    {
        Assert.Empty(Read(Build(1, 0, NameBytes("x.local"), Record(1, 0x8001, timeToLive: 0, [192, 0, 2, 9])), "x.local"));
        Assert.Empty(Read(Build(1, 0, NameBytes("x.local"), Record(1, 3, 120, [192, 0, 2, 9])), "x.local"));
        Assert.Empty(Read(Build(1, 0, NameBytes("x.local"), Record(1, 1, 120, [192, 0, 2])), "x.local"));
        var query = Build(1, 0, NameBytes("x.local"), Record(1, 1, 120, [192, 0, 2, 9]));
        query[2] = 0;
        Assert.Empty(Read(query, "x.local"));
    }

    [Fact]
    public void More_addresses_than_fit_are_left_out()
    {
        var records = Enumerable.Range(0, 20).SelectMany(i => (byte[][])[[0xC0, 12], Record(1, 1, 120, [192, 0, 2, (byte)i])]);
        var response = Build(21, 0, [NameBytes("x.local"), Record(1, 1, 120, [198, 51, 100, 1]), .. records]);
        var addresses = new TransportAddress[4];
        Assert.True(MdnsResponse.TryReadAddresses(response, "x.local", addresses, out var count));
        Assert.Equal(4, count);
    }

    [Fact]
    public void Compression_loops_and_forward_pointers_are_refused()
    {
        var tail = Record(1, 1, 120, [192, 0, 2, 9]);
        Assert.Empty(Read(Build(1, 0, [0xC0, 12], tail), "x.local"));              // To itself.
        Assert.Empty(Read(Build(1, 0, [1, (byte)'x', 0xC0, 12], tail), "x.local")); // Round and round.
        Assert.Empty(Read(Build(1, 0, [0xC0, 30], tail), "x.local"));              // Forward.
        Assert.Empty(Read(Build(1, 0, [0x80, 0], tail), "x.local"));               // Undefined label type.
    }

    [Fact]
    public void A_response_cut_short_at_any_length_yields_nothing()
    {
        foreach (var vector in (byte[][])[Announcement, NegativeResponse])
        {
            for (var length = 0; length < vector.Length; length++)
            {
                Assert.Empty(Read(vector[..length], Name));
            }
        }
    }

    [Fact]
    public void Mutated_responses_never_throw()
    {
        var random = new Random(6762);
        var read = 0;
        for (var round = 0; round < 50_000; round++)
        {
            var mutated = (byte[])(round % 2 == 0 ? Announcement : NegativeResponse).Clone();
            for (var changes = random.Next(1, 6); changes > 0; changes--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }

            read += Read(mutated, Name).Length;
        }

        Assert.InRange(read, 1_000, 50_000);
    }

    private static string[] Read(byte[] datagram, string name)
    {
        var addresses = new TransportAddress[8];
        var ok = MdnsResponse.TryReadAddresses(datagram, name, addresses, out var count);
        Assert.Equal(ok, count > 0);
        return [.. addresses[..count].Select(address => address.ToString())];
    }

    private static byte[] NameBytes(string name) =>
        [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];

    private static byte[] Record(ushort type, ushort recordClass, uint timeToLive, byte[] data)
    {
        var record = new byte[10 + data.Length];
        BinaryPrimitives.WriteUInt16BigEndian(record, type);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(2), recordClass);
        BinaryPrimitives.WriteUInt32BigEndian(record.AsSpan(4), timeToLive);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(8), (ushort)data.Length);
        data.CopyTo(record, 10);
        return record;
    }

    private static byte[] Build(byte answers, byte additional, params byte[][] parts) =>
        [0, 0, 0x84, 0, 0, 0, 0, answers, 0, 0, 0, additional, .. parts.SelectMany(part => part)];
}
