using Agent.Rtc.Rtcp;

namespace Agent.Rtc.Tests.Rtcp;

public sealed class RtcpReceiverEstimateTests
{
    private const string Remb = "52454D42";

    /// <summary>draft-alvestrand-rmcat-remb-03 §2.2: six bits of exponent, eighteen of mantissa.</summary>
    [Theory]
    [InlineData(Remb + "010FFFFF" + "00000007", 262_143L << 3)]
    [InlineData(Remb + "02000BB8" + "00000001" + "00000007", 3_000L)]
    [InlineData(Remb + "01FFFFFF" + "00000007", long.MaxValue)]
    [InlineData(Remb + "01000BB8" + "00000001", null)]
    [InlineData(Remb + "00000BB8", null)]
    [InlineData("4E414D45" + "01000BB8" + "00000007", null)]
    [InlineData("", null)]
    public void The_estimate_for_the_video_is_read(string controlInformation, long? expected)
    {
        Assert.True(RtcpReceiverEstimate.TryFind(Convert.FromHexString(controlInformation), 7, out var bitsPerSecond));
        Assert.Equal(expected, bitsPerSecond);
    }

    [Fact]
    public void One_that_is_cut_short_is_refused()
    {
        var bytes = Convert.FromHexString(Remb + "02000BB8" + "00000001" + "00000007");
        for (var length = 4; length < bytes.Length; length++)
            Assert.False(RtcpReceiverEstimate.TryFind(bytes.AsSpan(0, length), 7, out _));
    }
}
