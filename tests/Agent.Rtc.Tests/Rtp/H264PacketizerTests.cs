using Agent.Rtc.Rtp;
using static Agent.Rtc.Tests.Rtp.H264TestStream;

namespace Agent.Rtc.Tests.Rtp;

public sealed class H264PacketizerTests
{
    private const int MaximumPayload = 1100;

    private readonly H264Packetizer _packetizer = new(MaximumPayload);

    [Fact]
    public void A_unit_that_fits_is_sent_as_it_is()
    {
        var unit = MakeUnit(Slice, MaximumPayload);

        Assert.Equal([unit], Payloads(_packetizer.Packetize([unit])));
    }

    [Fact]
    public void Small_units_share_a_packet()
    {
        byte[][] units = [MakeUnit(Sps, 20), MakeUnit(Pps, 5), MakeUnit(Sei, 30), MakeUnit(Idr, 500)];

        var payload = Assert.Single(Payloads(_packetizer.Packetize(units, isKeyFrame: true)));

        Assert.Equal(0x78, payload[0]);
        Assert.Equal(units, H264Depacketizer.Depacketize([payload]));
    }

    [Fact]
    public void A_large_unit_is_cut_into_fragments_of_even_size()
    {
        var unit = MakeUnit(Idr, 2 * MaximumPayload);

        var payloads = Payloads(_packetizer.Packetize([unit], isKeyFrame: true));

        Assert.Equal(3, payloads.Count);
        Assert.All(payloads, payload => Assert.Equal(0x7C, payload[0]));
        Assert.Equal([0x85, 0x05, 0x45], payloads.Select(payload => (int)payload[1]));
        Assert.InRange(payloads.Max(payload => payload.Length) - payloads.Min(payload => payload.Length), 0, 1);
        Assert.Equal([unit], H264Depacketizer.Depacketize(payloads));
    }

    [Fact]
    public void Delimiters_and_filler_are_left_out()
    {
        byte[][] units = [MakeUnit(AccessUnitDelimiter, 2), MakeUnit(Slice, 100), MakeUnit(Filler, 400)];

        Assert.Equal([units[1]], Payloads(_packetizer.Packetize(units)));
        Assert.Equal(0, _packetizer.Packetize([units[0], units[2], []]).PacketCount);
    }

    [Fact]
    public void An_idr_without_parameter_sets_gets_those_seen_last()
    {
        byte[][] old = [MakeUnit(Sps, 20), MakeUnit(Pps, 5)];
        byte[][] current = [MakeUnit(Sps, 21), MakeUnit(Pps, 6), MakeUnit(Pps, 7)];
        var idr = MakeUnit(Idr, 3000);
        _packetizer.Packetize([.. old, MakeUnit(Idr, 10)], isKeyFrame: true);
        _packetizer.Packetize(current);

        var frame = _packetizer.Packetize([idr], isKeyFrame: true);

        Assert.Equal([.. current, idr], H264Depacketizer.Depacketize(Payloads(frame)));
        Assert.Equal([MakeUnit(Slice, 9)], Payloads(_packetizer.Packetize([MakeUnit(Slice, 9)])));
    }

    [Fact]
    public void Parameter_sets_that_exceed_a_packet_are_repeated_one_by_one()
    {
        byte[][] sets = [MakeUnit(Sps, 900), MakeUnit(Pps, 1200)];
        _packetizer.Packetize(sets);

        var frame = _packetizer.Packetize([MakeUnit(Idr, 50)], isKeyFrame: true);

        Assert.Equal([.. sets, MakeUnit(Idr, 50)], H264Depacketizer.Depacketize(Payloads(frame)));
    }

    [Theory]
    [InlineData(64)]
    [InlineData(MaximumPayload)]
    [InlineData(H264Packetizer.DefaultMaximumPayloadSize)]
    [InlineData(65535)]
    public void Random_access_units_come_out_byte_for_byte(int maximumPayload)
    {
        byte[] headers = [Sps, Pps, Sei, Idr, Slice, Disposable, 0xE1];
        var random = new Random(maximumPayload);
        var packetizer = new H264Packetizer(maximumPayload);
        for (var i = 0; i < 300; i++)
        {
            var units = Enumerable.Range(0, random.Next(1, 30))
                .Select(j => MakeUnit(headers[random.Next(headers.Length)], random.Next(2, random.Next(3, 10 * 1024)), j)).ToArray();
            var frame = packetizer.Packetize(units);

            var payloads = Payloads(frame);
            AssertSame(units, H264Depacketizer.Depacketize(payloads));
            Assert.InRange(payloads.Max(payload => payload.Length), 1, maximumPayload);
            Assert.Equal(frame.TotalBytes, payloads.Sum(payload => payload.Length));
            frame.Release();
        }
    }

    [Fact]
    public void A_frame_keeps_its_bytes_until_the_last_reference_goes()
    {
        var frame = _packetizer.Packetize([MakeUnit(Slice, 100)]);
        frame.AddReference();
        frame.Release();

        var other = _packetizer.Packetize([MakeUnit(Slice, 101)]);

        Assert.Equal([MakeUnit(Slice, 100)], Payloads(frame));
        Assert.NotSame(frame, other);
        frame.Release();
        Assert.Same(frame, _packetizer.Packetize([MakeUnit(Slice, 102)]));
    }

    [Fact]
    public void Releasing_too_often_is_an_error()
    {
        var frame = _packetizer.Packetize([MakeUnit(Slice, 100)]);
        frame.Release();

        Assert.Throws<InvalidOperationException>(frame.Release);
    }

    [Fact]
    public void Frames_released_on_other_threads_are_used_again()
    {
        var (bytes, ranges) = ToAnnexB([MakeUnit(Slice, 3000)]);
        var seen = new HashSet<PacketizedFrame>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < 200; i++)
        {
            var frames = Enumerable.Range(0, 8).Select(_ => _packetizer.Packetize(bytes, ranges, false, 0, default)).ToArray();
            seen.UnionWith(frames);
            Parallel.ForEach(frames, frame => frame.Release());
        }

        Assert.Equal(8, seen.Count);
    }
}
