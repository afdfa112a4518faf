using System.Buffers.Binary;

namespace Agent.Devices.Sources;

/// <summary>What <see cref="JpegScanner.Scan"/> found.</summary>
internal enum JpegScanResult
{
    /// <summary>The image goes on behind what is there.</summary>
    NeedsMore,
    Complete,
    /// <summary>This is no JPEG image, or it breaks off and another begins.</summary>
    Damaged,
}

/// <summary>
/// Finds the end of a JPEG image while its bytes arrive, segment by segment (ITU-T T.81 §B.1), so that a thumbnail inside an APPn segment
/// does not end it. Begins anew by being set to <c>default</c>.
/// </summary>
internal struct JpegScanner
{
    // Markers of ITU-T T.81 Table B.1.
    private const byte Tem = 0x01;
    private const byte Sof0 = 0xC0;
    private const byte Sof15 = 0xCF;
    private const byte Dht = 0xC4;
    private const byte Jpg = 0xC8;
    private const byte Dac = 0xCC;
    private const byte Rst0 = 0xD0;
    private const byte Rst7 = 0xD7;
    private const byte Soi = 0xD8;
    private const byte Eoi = 0xD9;
    private const byte Sos = 0xDA;
    private const byte MarkerPrefix = 0xFF;

    private const int MarkerLength = 2;

    /// <summary>The two bytes of a segment's length, which count themselves (§B.1.1.4).</summary>
    private const int LengthLength = 2;

    /// <summary>Lf, P, Y, X and Nf of a frame header without components (§B.2.2), and where Y and X lie in its segment.</summary>
    private const int ShortestFrameHeader = 8;
    private const int LinesOffset = 5;
    private const int SamplesOffset = 7;

    private int _position;
    private bool _isInScan;

    /// <summary>SOI and the first byte of the marker that follows.</summary>
    public static ReadOnlySpan<byte> Start => [MarkerPrefix, Soi, MarkerPrefix];

    /// <summary>Samples per line of the frame header; 0 before it was seen.</summary>
    public int Width { get; private set; }

    /// <summary>Lines of the frame header; 0 before it was seen, or if the image tells it only at its end (DNL).</summary>
    public int Height { get; private set; }

    /// <summary>Goes on where the last call stopped.</summary>
    /// <param name="image">What has arrived of the image, from its first byte on.</param>
    /// <param name="length">Its length if it is complete.</param>
    public JpegScanResult Scan(ReadOnlySpan<byte> image, out int length)
    {
        length = 0;
        while (image.Length - _position >= MarkerLength)
        {
            if (_isInScan && !TryFindMarker(image)) return JpegScanResult.NeedsMore;
            var marker = image[_position + 1];
            if (image[_position] != MarkerPrefix || (_position == 0) != (marker == Soi)) return JpegScanResult.Damaged;
            switch (marker)
            {
                case 0:
                    return JpegScanResult.Damaged;
                case MarkerPrefix:
                    _position++; // fill byte (§B.1.1.2)
                    continue;
                case Eoi:
                    length = _position + MarkerLength;
                    return JpegScanResult.Complete;
                case Soi or Tem or (>= Rst0 and <= Rst7):
                    _position += MarkerLength;
                    continue;
            }
            var segment = image[(_position + MarkerLength)..];
            if (segment.Length < LengthLength) return JpegScanResult.NeedsMore;
            var segmentLength = BinaryPrimitives.ReadUInt16BigEndian(segment);
            if (segmentLength < LengthLength) return JpegScanResult.Damaged;
            if (segment.Length < segmentLength) return JpegScanResult.NeedsMore;
            if (marker is >= Sof0 and <= Sof15 and not (Dht or Jpg or Dac) && segmentLength >= ShortestFrameHeader)
            {
                Height = BinaryPrimitives.ReadUInt16BigEndian(image[(_position + LinesOffset)..]);
                Width = BinaryPrimitives.ReadUInt16BigEndian(image[(_position + SamplesOffset)..]);
            }
            _isInScan = marker == Sos;
            _position += MarkerLength + segmentLength;
        }
        return JpegScanResult.NeedsMore;
    }

    /// <summary>Leaves the entropy-coded data at the next marker that is neither RSTn nor a stuffed FF 00 (§B.1.1.5).</summary>
    private bool TryFindMarker(ReadOnlySpan<byte> image)
    {
        while (true)
        {
            var found = image[_position..].IndexOf(MarkerPrefix);
            _position = found < 0 ? image.Length : _position + found;
            if (image.Length - _position < MarkerLength) return false;
            var next = image[_position + 1];
            if (next is not (0 or (>= Rst0 and <= Rst7)))
            {
                _isInScan = false;
                return true;
            }
            _position += MarkerLength;
        }
    }
}
