using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Tests.Rtcp;

/// <summary>Hand-made after draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1 and its examples of chunks.</summary>
public sealed class RtcpTransportFeedbackTests
{
    // §3.1.3: a run of 221 packets not received; one that arrived behind it.
    private const string RunThenVector = "0005" + "00DE" + "000001" + "00" + "00DD" + "A000" + "04" + "000000";

    /// <summary>Milliseconds since the reference time's zero, for each packet that arrived.</summary>
    [Theory]
    [InlineData("0001" + "0001" + "000002" + "00" + "2001" + "08" + "00", "1:130")]
    [InlineData("FFFE" + "0004" + "000001" + "07" + "2004" + "04080C10" + "0000", "65534:65 65535:67 0:70 1:74")]
    [InlineData("0000" + "0002" + "FFFFFF" + "00" + "E400" + "FFFC" + "10" + "00", "0:-65 1:-61")]
    [InlineData("0000" + "0002" + "7FFFFF" + "00" + "4002" + "7FFF8000", "0:536879039.75 1:536870847.75")]
    // §3.1.4: one bit for each packet: a loss, five that arrived, three losses, three that arrived, two losses.
    [InlineData("0000" + "000E" + "000000" + "00" + "9F1C" + "0404040404040404" + "0000", "1:1 2:2 3:3 4:4 5:5 9:6 10:7 11:8")]
    // §3.1.4: two bits for each: a loss, one that arrived with a large delta, three that arrived, two losses.
    [InlineData("0000" + "0007" + "000000" + "00" + "C950" + "0400" + "040404" + "000000", "1:256 2:257 3:258 4:259")]
    public void Every_form_of_chunk_and_delta_is_read(string controlInformation, string expected) => Assert.Equal(expected, Read(controlInformation));

    [Fact]
    public void A_run_of_losses_costs_nothing_to_pass_over()
    {
        Assert.True(RtcpTransportFeedback.TryCreate(Convert.FromHexString(RunThenVector), out var feedback));
        Assert.Equal((5, 222, 1), (feedback.BaseSequence, feedback.StatusCount, feedback.ReferenceTime));
        Assert.Equal("226:65", Read(RunThenVector));
    }

    [Theory]
    [InlineData("0000" + "0000" + "000000" + "00", "about no packet")]
    [InlineData("0000" + "0001" + "000000" + "00", "no chunk")]
    [InlineData("0000" + "0001" + "000000" + "00" + "6001" + "0000", "a run of the reserved symbol")]
    [InlineData("0000" + "0001" + "000000" + "00" + "F000" + "0000", "the reserved symbol in a vector")]
    [InlineData("0000" + "0001" + "000000" + "00" + "0000" + "0000", "a run of no packets")]
    [InlineData("0000" + "0004" + "000000" + "00" + "2004" + "0101", "fewer deltas than packets")]
    [InlineData("0000" + "0002" + "000000" + "00" + "4002" + "0101", "fewer large deltas than packets")]
    [InlineData("0000" + "0020" + "000000" + "00" + "2001" + "01" + "00", "fewer statuses than packets")]
    public void What_does_not_add_up_is_refused(string controlInformation, string why) =>
        Assert.False(RtcpTransportFeedback.TryCreate(Convert.FromHexString(controlInformation), out _), why);

    [Fact]
    public void Whatever_a_receiver_writes_is_read_back_and_cut_anywhere_does_no_harm()
    {
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
        {
            var first = (ushort)random.Next(1 << 16);
            var time = TimeSpan.FromSeconds(random.Next(1000));
            var arrivals = new TimeSpan?[random.Next(1, 200)];
            for (var j = 0; j < arrivals.Length; j++)
            {
                time += TimeSpan.FromMicroseconds(250 * random.Next(-10, random.Next(5) == 0 ? 1000 : 20));
                arrivals[j] = random.Next(4) == 0 && j > 0 ? null : time;
            }

            var bytes = TransportFeedbackPackets.MakeControlInformation(first, arrivals, random);

            Assert.True(RtcpTransportFeedback.TryCreate(bytes, out var feedback));
            for (var j = 0; j < arrivals.Length; j++)
            {
                if (arrivals[j] is not { } expected)
                    continue;

                Assert.True(feedback.TryRead(out var sequence, out var arrival));
                Assert.Equal(((ushort)(first + j), expected), (sequence, arrival));
            }

            Assert.False(feedback.TryRead(out _, out _));
            for (var length = 0; length < bytes.Length; length++)
                ReadAll(bytes.AsSpan(0, length));
        }
    }

    [Fact]
    public void Random_mutations_never_throw_and_yield_no_more_packets_than_bytes()
    {
        var random = new Random(4);
        var original = Convert.FromHexString("FFFE" + "0020" + "000001" + "07" + "2004" + "9F1C" + "C950" + "0007" + "04080C1004040404040404040400040404000000");
        for (var i = 0; i < 50_000; i++)
        {
            var bytes = original[..random.Next(original.Length + 1)];
            for (var j = random.Next(4); j > 0 && bytes.Length > 0; j--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

            ReadAll(bytes);
        }
    }

    private static void ReadAll(ReadOnlySpan<byte> bytes)
    {
        if (!RtcpTransportFeedback.TryCreate(bytes, out var feedback))
            return;

        var count = 0;
        while (feedback.TryRead(out _, out _))
            count++;

        Assert.InRange(count, 0, bytes.Length);
    }

    private static string Read(string controlInformation)
    {
        Assert.True(RtcpTransportFeedback.TryCreate(Convert.FromHexString(controlInformation), out var feedback));
        var read = new List<string>();
        while (feedback.TryRead(out var sequence, out var arrival))
            read.Add(FormattableString.Invariant($"{sequence}:{arrival.TotalMilliseconds}"));

        return string.Join(' ', read);
    }
}
