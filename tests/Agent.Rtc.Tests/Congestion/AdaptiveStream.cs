using Agent.Rtc.Rtp;
using Agent.Rtc.Tests.Network;
using Agent.Rtc.Tests.Rtp;

namespace Agent.Rtc.Tests.Congestion;

/// <summary>A camera whose encoder follows the estimate of its one viewer, who is an <see cref="AdaptiveReceiver"/>.</summary>
internal sealed class AdaptiveStream : SimulatedNode
{
    public const uint Ssrc = 0x1111_0001;
    public const uint RtxSsrc = 0x2222_0002;
    public const byte TransportSequenceId = 3;

    private const int KeyFrameSize = 5;
    private static readonly TimeSpan s_frameInterval = TimeSpan.FromTicks(TimeSpan.TicksPerSecond / 30);

    private readonly H264Packetizer _packetizer = new(H264Packetizer.DefaultMaximumPayloadSize);
    private readonly Random _random;
    private readonly TransportAddress _remote;
    private readonly (byte[] Bytes, Range[] Units) _picture = H264TestStream.ToAnnexB([H264TestStream.MakeUnit(H264TestStream.Slice, 400_000)]);
    private readonly (byte[] Bytes, Range[] Units) _keyFrame = H264TestStream.ToAnnexB([H264TestStream.MakeUnit(H264TestStream.Idr, 400_000)]);
    private readonly long _ceiling;
    private MonotonicTime _nextFrame;
    private TimeSpan _late;
    private double _budget;
    private int _frames;

    public AdaptiveStream(string local, string remote, MonotonicTime now, long ceiling, bool transportFeedback = true, int seed = 1)
        : base(Parse(local))
    {
        _remote = Parse(remote);
        _random = new Random(seed);
        _ceiling = ceiling;
        _nextFrame = now;
        Sender = new RtpVideoSender(
            new RtpVideoSenderOptions(
                Ssrc, RtxSsrc, 102, 103, "cname", null,
                new RtpExtensionIds { TransportSequence = transportFeedback ? TransportSequenceId : (byte)0 }, ReducedSizeRtcp: true)
            {
                MaximumBitrate = ceiling,
            },
            new SeededRandomSource(seed), now);
    }

    public RtpVideoSender Sender { get; }

    public long Estimate => Sender.GetStatistics().Congestion!.Value.EstimateBps;

    /// <summary>What the encoder makes whatever the estimate says; <c>null</c> to follow it.</summary>
    public long? FixedRate { get; init; }

    public long Target => FixedRate ?? Math.Min(_ceiling, Sender.VideoBitrate!.Value);

    /// <summary>When each packet left, and its length.</summary>
    public List<(MonotonicTime At, int Length)> SentPackets { get; } = [];

    /// <summary>At most: the processor has other work.</summary>
    public TimeSpan WakesLateBy { get; init; }

    public override MonotonicTime NextTimeout => MonotonicTime.Min(_nextFrame, Sender.NextTimeout) + _late;

    public override void HandleTimeout(MonotonicTime now)
    {
        Sender.HandleTimeout(now);
        _late = WakesLateBy * _random.NextDouble();
        if (now < _nextFrame)
            return;

        _nextFrame += s_frameInterval;
        var mean = Target * s_frameInterval.TotalSeconds / 8;
        _budget += mean;
        var isKeyFrame = Sender.TakeKeyFrameRequest() || _frames == 0;
        var size = (int)Math.Clamp(isKeyFrame ? KeyFrameSize * mean : _budget * (0.7 + 0.6 * _random.NextDouble()), 200, _picture.Bytes.Length - 10);
        _budget = Math.Max(_budget - size, -KeyFrameSize * mean);
        WritePicture(isKeyFrame, size, now);
    }

    public void WritePicture(bool isKeyFrame, int size, MonotonicTime now)
    {
        // The same bytes for every picture: what is in them does not matter here.
        var picture = isKeyFrame ? _keyFrame : _picture;
        var start = picture.Units[0].Start.Value;
        var frame = _packetizer.Packetize(
            picture.Bytes.AsSpan(0, start + size), [start..(start + size)], isKeyFrame, (uint)(_frames++ * 3000), now);
        Sender.WriteFrame(frame, now);
        frame.Release();
    }

    public override void HandleDatagram(Span<byte> datagram, TransportAddress local, TransportAddress remote, MonotonicTime now) =>
        Sender.HandleRtcp(datagram, now);

    public override bool TryDequeueTransmit(Span<byte> buffer, MonotonicTime now, out Transmit transmit)
    {
        var wallClock = DateTimeOffset.UnixEpoch + now.SinceZero;
        var isRtp = false;
        var found = Sender.TryWriteRtcp(buffer, now, wallClock, out var length) || (isRtp = Sender.TryWriteRtp(buffer, now, wallClock, out length));
        if (isRtp)
            SentPackets.Add((now, length));

        transmit = new Transmit(length, Addresses[0], _remote);
        return found;
    }

    internal static TransportAddress Parse(string address)
    {
        Assert.True(TransportAddress.TryParse(address, 5000, out var parsed));
        return parsed;
    }
}
