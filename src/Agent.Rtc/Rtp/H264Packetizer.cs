using System.Buffers.Binary;
using Agent.Rtc.Srtp;

namespace Agent.Rtc.Rtp;

/// <summary>
/// Cuts H.264 access units into RTP payloads by RFC 6184 packetization-mode 1: single NAL unit, STAP-A (for parameter sets and other
/// small units), FU-A. Owned by one thread; the frames that it returns may be released on another.
/// </summary>
public sealed class H264Packetizer
{
    /// <summary>
    /// A payload that makes, with everything around it, a datagram of 1200 bytes: what fits the smallest IPv6 MTU (RFC 8200 §5: 1280)
    /// with room for the headers of a tunnel or of TURN.
    /// </summary>
    public const int DefaultMaximumPayloadSize = 1200 - RtpVideoSender.MaximumOverhead - SrtpContext.MaximumOverhead;

    /// <summary>Below this there is no sense in cutting further; it leaves room for the FU header and some data.</summary>
    private const int MinimumPayloadSize = 64;

    /// <summary>FU indicator and FU header (RFC 6184 §5.8).</summary>
    private const int FuHeaderLength = 2;
    private const byte FuStartBit = 0x80;
    private const byte FuEndBit = 0x40;

    /// <summary>The STAP-A header octet, and the size in front of each unit (RFC 6184 §5.7.1).</summary>
    private const int StapHeaderLength = 1;
    private const int StapSizeLength = sizeof(ushort);

    private readonly int _maximumPayloadSize;
    private readonly PacketizedFramePool _pool = new();
    private readonly H264ParameterSets _parameterSets = new();
    private Range[] _group = new Range[16];

    /// <param name="maximumPayloadSize">Largest RTP payload in bytes, 64 to 65535.</param>
    public H264Packetizer(int maximumPayloadSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumPayloadSize, MinimumPayloadSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maximumPayloadSize, ushort.MaxValue);
        _maximumPayloadSize = maximumPayloadSize;
    }

    /// <summary>
    /// Packetizes one access unit. Access unit delimiters and filler data are left out. An IDR picture that comes without an SPS gets
    /// the parameter sets last seen in front.
    /// </summary>
    /// <param name="accessUnit">The access unit's bytes (Annex B).</param>
    /// <param name="nalUnits">Where its NAL units lie, without start codes.</param>
    /// <param name="isKeyFrame">Whether it holds an IDR picture.</param>
    /// <param name="rtpTimestamp">90 kHz timestamp.</param>
    /// <param name="capturedAt">Capture instant.</param>
    /// <returns>A frame with one reference, owned by the caller; without packets if nothing in it is for the wire.</returns>
    public PacketizedFrame Packetize(ReadOnlySpan<byte> accessUnit, ReadOnlySpan<Range> nalUnits, bool isKeyFrame, uint rtpTimestamp, MonotonicTime capturedAt)
    {
        var hasSps = _parameterSets.Update(accessUnit, nalUnits);
        var frame = _pool.Rent(GetCapacity(accessUnit.Length + _parameterSets.Length, nalUnits.Length));
        frame.Reset(rtpTimestamp, capturedAt, isKeyFrame);
        if (isKeyFrame && !hasSps)
            AddParameterSets(frame);

        var count = 0;
        var groupLength = StapHeaderLength;
        foreach (var range in nalUnits)
        {
            var unit = accessUnit[range];
            if (!IsForTheWire(unit))
                continue;

            var length = StapSizeLength + unit.Length;
            if (groupLength + length > _maximumPayloadSize)
            {
                AddGroup(frame, accessUnit, _group.AsSpan(0, count));
                count = 0;
                groupLength = StapHeaderLength;
            }

            if (groupLength + length > _maximumPayloadSize)
            {
                AddUnit(frame, unit);
                continue;
            }

            if (count == _group.Length)
                Array.Resize(ref _group, _group.Length * 2);

            _group[count++] = range;
            groupLength += length;
        }

        AddGroup(frame, accessUnit, _group.AsSpan(0, count));
        return frame;
    }

    private static bool IsForTheWire(ReadOnlySpan<byte> unit) =>
        unit.Length > 1 && H264NalUnitType.Get(unit) is not
            (0 or H264NalUnitType.AccessUnitDelimiter or H264NalUnitType.FillerData or > H264NalUnitType.LastInBitstream);

    /// <summary>At least the payload bytes that so many bytes in so many NAL units can become.</summary>
    private int GetCapacity(int bytes, int units)
    {
        var fragments = bytes / (_maximumPayloadSize - FuHeaderLength) + units + 1;
        return bytes + fragments * FuHeaderLength + (units + 1) * (StapHeaderLength + StapSizeLength);
    }

    private void AddParameterSets(PacketizedFrame frame)
    {
        var fitsOnePacket = StapHeaderLength + _parameterSets.Length <= _maximumPayloadSize;
        byte header = H264NalUnitType.StapA;
        for (var position = 0; _parameterSets.TryRead(ref position, out var unit);)
        {
            header = MergeHeader(header, unit[0]);
            if (!fitsOnePacket)
                AddUnit(frame, unit);
        }

        if (!fitsOnePacket || _parameterSets.Length == 0)
            return;

        var payload = frame.AddPacket(StapHeaderLength + _parameterSets.Length);
        payload[0] = header;
        _parameterSets.AsAggregationUnits.CopyTo(payload[StapHeaderLength..]);
    }

    private void AddGroup(PacketizedFrame frame, ReadOnlySpan<byte> accessUnit, ReadOnlySpan<Range> group)
    {
        if (group.Length == 1)
            AddUnit(frame, accessUnit[group[0]]);

        if (group.Length <= 1)
            return;

        var length = StapHeaderLength;
        byte header = H264NalUnitType.StapA;
        foreach (var range in group)
        {
            var unit = accessUnit[range];
            length += StapSizeLength + unit.Length;
            header = MergeHeader(header, unit[0]);
        }

        var payload = frame.AddPacket(length);
        payload[0] = header;
        payload = payload[StapHeaderLength..];
        foreach (var range in group)
        {
            var unit = accessUnit[range];
            BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)unit.Length);
            unit.CopyTo(payload[StapSizeLength..]);
            payload = payload[(StapSizeLength + unit.Length)..];
        }
    }

    /// <summary>F is set if it is set in any unit, NRI is the highest of all units (RFC 6184 §5.7).</summary>
    private static byte MergeHeader(byte header, byte unitHeader) =>
        (byte)((header | unitHeader) & H264NalUnitType.ForbiddenBit
            | Math.Max(header & H264NalUnitType.NriMask, unitHeader & H264NalUnitType.NriMask)
            | header & H264NalUnitType.TypeMask);

    /// <summary>
    /// Adds a single NAL unit packet or FU-A fragments. Fragments differ by at most one byte, since a short last packet costs as much
    /// header as a full one and forward error correction pads to the largest.
    /// </summary>
    private void AddUnit(PacketizedFrame frame, ReadOnlySpan<byte> unit)
    {
        if (unit.Length <= _maximumPayloadSize)
        {
            unit.CopyTo(frame.AddPacket(unit.Length));
            return;
        }

        // The NAL unit header octet is not sent as such: indicator and FU header carry it (RFC 6184 §5.8).
        var body = unit[1..];
        var room = _maximumPayloadSize - FuHeaderLength;
        var count = (body.Length + room - 1) / room;
        for (var i = 0; i < count; i++)
        {
            var start = (int)((long)body.Length * i / count);
            var end = (int)((long)body.Length * (i + 1) / count);
            var payload = frame.AddPacket(FuHeaderLength + end - start);
            payload[0] = (byte)(unit[0] & ~H264NalUnitType.TypeMask | H264NalUnitType.FuA);
            payload[1] = (byte)((i == 0 ? FuStartBit : 0) | (i == count - 1 ? FuEndBit : 0) | H264NalUnitType.Get(unit));
            body[start..end].CopyTo(payload[FuHeaderLength..]);
        }
    }
}
