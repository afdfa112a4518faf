using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Network;

namespace Agent.Rtc.Tests.Rtp;

/// <summary>A sender in virtual time with its packetizer.</summary>
internal sealed class RtpSenderHarness
{
    public const uint Ssrc = 0x1111_0001;
    public const uint RtxSsrc = 0x2222_0002;
    public const byte PayloadType = 102;
    public const byte RtxPayloadType = 103;
    public const byte MidExtensionId = 4;

    public static readonly TimeSpan FrameInterval = TimeSpan.FromTicks(TimeSpan.TicksPerSecond / 30);

    private readonly byte[] _buffer = new byte[2000];
    private int _frames;

    public RtpSenderHarness(bool rtx = true, bool reducedSize = true, int maximumPayload = 1100, int seed = 1, RtpExtensionIds? extensions = null, long? maximumBitrate = null)
    {
        Packetizer = new H264Packetizer(maximumPayload);
        Sender = new RtpVideoSender(
            new RtpVideoSenderOptions(Ssrc, RtxSsrc, PayloadType, rtx ? RtxPayloadType : null, "cname@test", "0", extensions ?? new RtpExtensionIds { Mid = MidExtensionId }, reducedSize)
            {
                MaximumBitrate = maximumBitrate,
            },
            new SeededRandomSource(seed), Now);
    }

    public H264Packetizer Packetizer { get; }

    public RtpVideoSender Sender { get; }

    public MonotonicTime Now { get; set; } = MonotonicTime.From(TimeSpan.FromSeconds(100));

    public DateTimeOffset WallClock => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero) + Now.SinceZero;

    /// <summary>Queues the next frame and returns its NAL units.</summary>
    public byte[][] WriteFrame(bool isKeyFrame, int size)
    {
        var units = H264TestStream.MakeAccessUnit(_frames++, isKeyFrame, size);
        var frame = Packetizer.Packetize(units, isKeyFrame, (uint)(Now.Ticks * 9 / 1000), Now);
        Sender.WriteFrame(frame, Now);
        frame.Release();
        return units;
    }

    public List<byte[]> DrainRtp()
    {
        var packets = new List<byte[]>();
        while (TryTakeRtp() is { } packet)
            packets.Add(packet);

        return packets;
    }

    public byte[]? TryTakeRtp() => Sender.TryWriteRtp(_buffer, Now, WallClock, out var length) ? _buffer[..length] : null;

    public byte[]? TryTakeRtcp() => Sender.TryWriteRtcp(_buffer, Now, WallClock, out var length) ? _buffer[..length] : null;

    public static RtpHeader Header(byte[] packet)
    {
        Assert.True(RtpHeader.TryParse(packet, out var header, out _));
        return header;
    }

    public static byte[] Payload(byte[] packet)
    {
        Assert.True(RtpHeader.TryGetPayload(packet, out _, out var payload));
        return payload.ToArray();
    }
}
