using System.Buffers.Binary;
using Agent.Rtc.Srtp;
using Agent.Rtc.Tests.Rtcp;
using Agent.Rtc.Tests.Srtp;
using static Agent.Rtc.Tests.Rtp.RtpSenderHarness;

namespace Agent.Rtc.Tests.Rtp;

/// <summary>A stream over a path that loses and delays, to a receiver that asks for what is missing, in virtual time.</summary>
public sealed class LossyNetworkTests
{
    private const double Loss = 0.1;

    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(5);

    /// <summary>Small payloads make a second of video thousands of packets, so that sequence numbers wrap.</summary>
    [Theory]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80, true, 64, 300)]
    [InlineData(SrtpProfile.AeadAes128Gcm, true, 64, 300)]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80, false, 1100, 300)]
    [InlineData(SrtpProfile.AeadAes128Gcm, false, 1100, 300)]
    public void Every_frame_arrives_byte_for_byte(SrtpProfile profile, bool rtx, int maximumPayload, int frames)
    {
        var random = new Random(42);
        var harness = new RtpSenderHarness(rtx, maximumPayload: maximumPayload, seed: 5);
        using var protector = SrtpPackets.MakeContext(profile);
        using var unprotector = SrtpPackets.MakeContext(profile);
        var toReceiver = new Queue<(MonotonicTime At, byte[] Packet)>();
        var toSender = new Queue<(MonotonicTime At, byte[] Packet)>();
        var receiver = new Receiver();
        var expected = new List<byte[]>();
        var lost = 0;

        var end = harness.Now + FrameInterval * frames;
        var nextFrame = harness.Now;
        for (; harness.Now < end + TimeSpan.FromSeconds(1); harness.Now += s_tick)
        {
            while (toSender.TryPeek(out var feedback) && feedback.At <= harness.Now)
                harness.Sender.HandleRtcp(toSender.Dequeue().Packet, harness.Now);

            if (harness.Now >= nextFrame && harness.Now < end)
            {
                expected.AddRange(harness.WriteFrame(isKeyFrame: expected.Count == 0, random.Next(50, 20_000)));
                nextFrame += FrameInterval;
            }

            foreach (var packet in harness.DrainRtp())
            {
                var sent = SrtpPackets.ProtectRtp(protector, packet);
                // The first packet must arrive: it tells the receiver where the sequence begins.
                if (receiver.IsEmpty && toReceiver.Count == 0 || random.NextDouble() >= Loss)
                    toReceiver.Enqueue((harness.Now + s_delay, sent));
                else
                    lost++;
            }

            while (toReceiver.TryPeek(out var media) && media.At <= harness.Now)
            {
                if (SrtpPackets.UnprotectRtp(unprotector, toReceiver.Dequeue().Packet) is { } packet)
                    receiver.Take(packet);
            }

            if (receiver.TryMakeNack() is { } nack && random.NextDouble() >= Loss)
                toSender.Enqueue((harness.Now + s_delay, nack));
        }

        H264TestStream.AssertSame(expected, receiver.GetUnits());
        var statistics = harness.Sender.GetStatistics();
        Assert.Equal(0, statistics.FramesDropped);
        Assert.Equal(frames, statistics.FramesSent);
        Assert.True(lost > statistics.PacketsSent / 20, $"Only {lost} of {statistics.PacketsSent} packets were lost.");
        Assert.InRange(statistics.PacketsRetransmitted, lost / 2, lost * 2);
        Assert.Equal(0, statistics.MalformedRtcp);
        if (rtx)
            Assert.True(receiver.Wrapped, "The sequence numbers did not wrap.");
    }

    private sealed class Receiver
    {
        private readonly SortedDictionary<long, (byte[] Payload, bool Marker, uint Timestamp)> _packets = [];
        private readonly SortedSet<long> _missing = [];
        private long _highest = -1;

        public bool IsEmpty => _packets.Count == 0;

        public bool Wrapped => _highest > ushort.MaxValue;

        public void Take(byte[] packet)
        {
            var header = Header(packet);
            var payload = Payload(packet);
            var sequenceNumber = header.SequenceNumber;
            if (header.Ssrc == RtxSsrc)
            {
                sequenceNumber = BinaryPrimitives.ReadUInt16BigEndian(payload);
                payload = payload[2..];
            }

            var sequence = _highest < 0 ? sequenceNumber : _highest + (short)(sequenceNumber - (ushort)_highest);
            for (var gap = _highest + 1; _highest >= 0 && gap < sequence; gap++)
                _missing.Add(gap);

            _missing.Remove(sequence);
            _highest = Math.Max(_highest, sequence);
            Assert.True(
                _packets.TryAdd(sequence, (payload, header.Marker, header.Timestamp)) || _packets[sequence].Payload.AsSpan().SequenceEqual(payload),
                "A packet differs from the one received before under its sequence number.");
        }

        public byte[]? TryMakeNack() => _missing.Count == 0
            ? null
            : RtcpTestPackets.Compound(RtcpTestPackets.EmptyReport(), RtcpTestPackets.Nack(Ssrc, _missing.Select(sequence => (ushort)sequence)));

        /// <summary>The NAL units of all frames, which end where the marker is and the timestamp changes.</summary>
        public List<byte[]> GetUnits()
        {
            var units = new List<byte[]>();
            var frame = new List<byte[]>();
            var timestamps = new HashSet<uint>();
            uint? timestamp = null;
            foreach (var packet in _packets.Values)
            {
                Assert.True(timestamp is null ? timestamps.Add(packet.Timestamp) : timestamp == packet.Timestamp, "Frames and timestamps do not agree.");
                timestamp = packet.Timestamp;
                frame.Add(packet.Payload);
                if (!packet.Marker)
                    continue;

                units.AddRange(H264Depacketizer.Depacketize(frame));
                frame.Clear();
                timestamp = null;
            }

            return units;
        }
    }
}
