using System.Buffers.Binary;
using System.Text;

namespace Agent.Rtc.Rtp;

/// <summary>Writes the headers of one viewer's packets with the extensions that were agreed (RFC 8285 §4.2), in place.</summary>
internal sealed class RtpHeaderWriter
{
    // Octets of each element's data.
    private const int TransportSequenceLength = 2;
    private const int AbsoluteSendTimeLength = 3;
    private const int AbsoluteCaptureTimeLength = 8;
    private const int PlayoutDelayLength = 3;

    /// <summary>Most bytes of header: all extensions, each with an octet of its own in front, filled up to whole words.</summary>
    public const int MaximumLength = RtpHeader.FixedLength + RtpHeader.ExtensionHeaderLength
        + (5 + RtpHeader.MaximumExtensionLength + TransportSequenceLength + AbsoluteSendTimeLength + AbsoluteCaptureTimeLength + PlayoutDelayLength + 3) / 4 * 4;

    /// <summary>abs-send-time: 24 bits of seconds, of which 18 are the fraction.</summary>
    private const int AbsoluteSendTimeFractionBits = 18;

    private readonly RtpExtensionIds _ids;
    private readonly byte[] _mid = [];
    private uint _playoutDelay;

    /// <param name="ids">Ids of what is to be written.</param>
    /// <param name="mid">One that does not fit an element is left out.</param>
    /// <param name="playoutDelay">What the receiver is asked for.</param>
    public RtpHeaderWriter(RtpExtensionIds ids, string? mid, PlayoutDelay playoutDelay)
    {
        _ids = ids;
        SetPlayoutDelay(playoutDelay);
        if (ids.Mid is 0 or > RtpHeader.MaximumExtensionId || string.IsNullOrEmpty(mid) || Encoding.UTF8.GetByteCount(mid) > RtpHeader.MaximumExtensionLength)
            _ids = ids with { Mid = 0 };
        else
            _mid = Encoding.UTF8.GetBytes(mid);
    }

    /// <summary>Whether packets carry a transport-wide sequence number.</summary>
    public bool HasTransportSequence => _ids.TransportSequence != 0;

    /// <summary>What the receiver is asked for from now on.</summary>
    public void SetPlayoutDelay(PlayoutDelay playoutDelay) => _playoutDelay = playoutDelay.ToBits();

    /// <summary>Writes a header.</summary>
    /// <param name="packet">At least <see cref="MaximumLength"/> bytes.</param>
    /// <param name="header">The fixed part.</param>
    /// <param name="transportSequence">Of this packet; written if agreed.</param>
    /// <param name="now">When it is sent.</param>
    /// <param name="capturedAt">NTP time of the picture, for the first packet of a frame; 0 for the others, which need no word on the frame.</param>
    /// <returns>Bytes written.</returns>
    public int Write(Span<byte> packet, RtpHeader header, ushort transportSequence, MonotonicTime now, ulong capturedAt)
    {
        header.Write(packet);
        var end = RtpHeader.FixedLength + RtpHeader.ExtensionHeaderLength;
        if (_ids.Mid != 0)
            _mid.CopyTo(Add(packet, ref end, _ids.Mid, _mid.Length));

        if (_ids.TransportSequence != 0)
            BinaryPrimitives.WriteUInt16BigEndian(Add(packet, ref end, _ids.TransportSequence, TransportSequenceLength), transportSequence);

        if (_ids.AbsoluteSendTime != 0)
            WriteUInt24(Add(packet, ref end, _ids.AbsoluteSendTime, AbsoluteSendTimeLength), ToAbsoluteSendTime(now));

        if (capturedAt != 0 && _ids.AbsoluteCaptureTime != 0)
            BinaryPrimitives.WriteUInt64BigEndian(Add(packet, ref end, _ids.AbsoluteCaptureTime, AbsoluteCaptureTimeLength), capturedAt);

        if (capturedAt != 0 && _ids.PlayoutDelay != 0)
            WriteUInt24(Add(packet, ref end, _ids.PlayoutDelay, PlayoutDelayLength), _playoutDelay);

        return RtpHeader.CloseExtension(packet, end);
    }

    private static Span<byte> Add(Span<byte> packet, ref int end, byte id, int length)
    {
        packet[end] = (byte)(id << 4 | length - 1);
        var data = packet.Slice(end + 1, length);
        end += 1 + length;
        return data;
    }

    private static uint ToAbsoluteSendTime(MonotonicTime now) =>
        (uint)(((UInt128)(ulong)now.Ticks << AbsoluteSendTimeFractionBits) / TimeSpan.TicksPerSecond);

    private static void WriteUInt24(Span<byte> destination, uint value)
    {
        destination[0] = (byte)(value >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(destination[1..], (ushort)value);
    }
}
