using Agent.Rtc.Rtp;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Rtcp;
using Agent.Rtc.Tests.Srtp;

namespace Agent.Rtc.Tests.Rtp;

public sealed class SteadyStateAllocationTests
{
    /// <summary>Two viewers of one stream with losses: every step between an access unit and the socket, and back.</summary>
    [Theory]
    [MemberData(nameof(SrtpPackets.Profiles), MemberType = typeof(SrtpPackets))]
    public void Nothing_is_allocated_between_an_access_unit_and_the_datagrams(SrtpProfile profile)
    {
        const int WarmUpFrames = 600;
        const int Frames = 3000;
        const int KeyFrameInterval = 60;
        var now = MonotonicTime.Zero;
        var wallClock = DateTimeOffset.UnixEpoch;
        var packetizer = new H264Packetizer(H264Packetizer.DefaultMaximumPayloadSize);
        var viewers = Enumerable.Range(1, 2).Select(i => (
            Sender: new RtpVideoSender(new RtpVideoSenderOptions(10, 20, 102, 103, "cname", "0", RtpHeaderWriterTests.Ids, true), new SeededRandomSource(i), now),
            Srtp: SrtpPackets.MakeContext(profile, i))).ToArray();
        var keyFrame = H264TestStream.ToAnnexB(H264TestStream.MakeAccessUnit(0, isKeyFrame: true, 60_000));
        var interFrame = H264TestStream.ToAnnexB(H264TestStream.MakeAccessUnit(1, isKeyFrame: false, 9_000));
        var nack = RtcpTestPackets.Nack(10, 0);
        var buffer = new byte[1500];
        long before = 0, packets = 0, retransmissions = 0;
        for (var i = 0; i < WarmUpFrames + Frames; i++)
        {
            if (i == WarmUpFrames)
                before = GC.GetAllocatedBytesForCurrentThread();

            var (bytes, ranges) = i % KeyFrameInterval == 0 ? keyFrame : interFrame;
            now += RtpSenderHarness.FrameInterval;
            wallClock += RtpSenderHarness.FrameInterval;
            var frame = packetizer.Packetize(bytes, ranges, i % KeyFrameInterval == 0, (uint)i * 3000, now);
            foreach (var (sender, srtp) in viewers)
            {
                sender.WriteFrame(frame, now);
                while (sender.TryWriteRtp(buffer, now, wallClock, out var length))
                {
                    packets++;
                    buffer.AsSpan(2, 2).CopyTo(nack.AsSpan(12));
                    srtp.ProtectRtp(buffer, length);
                }

                // The frame's last packet, which comes again ahead of the next frame.
                sender.HandleRtcp(nack, now);
                sender.HandleTimeout(now);
                if (sender.TryWriteRtcp(buffer, now, wallClock, out var rtcpLength))
                    srtp.ProtectRtcp(buffer, rtcpLength);
            }

            frame.Release();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        foreach (var (sender, srtp) in viewers)
        {
            retransmissions += sender.GetStatistics().PacketsRetransmitted;
            srtp.Dispose();
        }

        Assert.InRange(packets, 2 * 8 * Frames, long.MaxValue);
        Assert.InRange(retransmissions, Frames, long.MaxValue);
    }
}
