using System.Text;
using Agent.Rtc.Rtp;

namespace Agent.Rtc.Tests.Rtp;

public sealed class RtpHeaderWriterTests
{
    private const string Fixed = "E6ABCD0123456789ABCDEF";
    private static readonly RtpHeader s_header = new(true, 102, 0xABCD, 0x0123_4567, 0x89AB_CDEF);

    public static RtpExtensionIds Ids { get; } = new() { Mid = 4, TransportSequence = 5, AbsoluteSendTime = 6, AbsoluteCaptureTime = 7, PlayoutDelay = 8 };

    [Fact]
    public void A_header_without_extensions_is_written_as_in_RFC_3550() => Assert.Equal("80" + Fixed, Write(default, null, 7, 1.5, 9));

    [Theory]
    [InlineData("0", "90" + Fixed + "BEDE0001" + "30300000")]
    [InlineData("vid", "90" + Fixed + "BEDE0001" + "32766964")]
    [InlineData("video", "90" + Fixed + "BEDE0002" + "34766964656F0000")]
    [InlineData("seventeen letters", "80" + Fixed)]
    public void Mid_is_written_as_in_RFC_8285(string mid, string expected) => Assert.Equal(expected, Write(new() { Mid = 3 }, mid, 0, 0, 0));

    /// <summary>abs-send-time has 18 bits of fraction and wraps every 64 s; playout-delay has two fields of 12 bits in units of 10 ms.</summary>
    [Theory]
    [InlineData(1.5, "060000")]
    [InlineData(65.25, "050000")]
    [InlineData(63.9999970, "FFFFFF")]
    public void All_extensions_stand_side_by_side_in_the_first_packet_of_a_frame(double seconds, string sendTime) => Assert.Equal(
        "90" + Fixed + "BEDE0006" + "4030" + "511234" + "62" + sendTime + "770102030405060708" + "8200A019" + "0000",
        Write(Ids, "0", 0x1234, seconds, 0x0102030405060708));

    [Fact]
    public void Later_packets_of_a_frame_say_nothing_about_the_frame() =>
        Assert.Equal("90" + Fixed + "BEDE0003" + "4030" + "511234" + "62060000" + "000000", Write(Ids, "0", 0x1234, 1.5, 0));

    [Fact]
    public void The_longest_header_is_as_long_as_is_said()
    {
        var written = Write(Ids, "sixteen letters!", 1, 1, 1);

        Assert.Equal(RtpHeaderWriter.MaximumLength, written.Length / 2);
    }

    private static string Write(RtpExtensionIds ids, string? mid, ushort transportSequence, double seconds, ulong capturedAt)
    {
        var packet = Enumerable.Repeat((byte)0xFF, RtpHeaderWriter.MaximumLength).ToArray();
        var delay = new PlayoutDelay(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(250));
        var length = new RtpHeaderWriter(ids, mid, delay)
            .Write(packet, s_header, transportSequence, MonotonicTime.From(TimeSpan.FromSeconds(seconds)), capturedAt);

        Assert.True(RtpHeader.TryParse(packet, out var header, out var parsedLength));
        Assert.Equal((s_header, length), (header, parsedLength));
        if (ids.Mid != 0 && mid is { Length: <= RtpHeader.MaximumExtensionLength })
        {
            Assert.True(RtpHeader.TryGetExtension(packet.AsSpan(0, length), ids.Mid, out var extension));
            Assert.Equal(mid, Encoding.UTF8.GetString(extension));
        }

        return Convert.ToHexString(packet, 0, length);
    }
}
