using System.Buffers.Binary;

namespace Agent.Devices.Snapshots;

/// <summary>Looks into the segments of a JPEG picture (ITU-T T.81 Annex B).</summary>
internal static class JpegFile
{
    // Table B.1.
    private const byte Marker = 0xFF, StartOfImage = 0xD8, DefineHuffmanTable = 0xC4, StartOfScan = 0xDA;

    /// <summary>
    /// True if the picture brings its own Huffman tables. Motion JPEG may leave them out, and then browsers and viewers cannot show a single
    /// picture.
    /// </summary>
    public static bool HasHuffmanTables(ReadOnlySpan<byte> picture)
    {
        if (!picture.StartsWith([Marker, StartOfImage])) return false;
        var position = 2;
        while (position + 4 <= picture.Length && picture[position] == Marker && picture[position + 1] != StartOfScan)
        {
            if (picture[position + 1] == DefineHuffmanTable) return true;
            position += 2 + BinaryPrimitives.ReadUInt16BigEndian(picture[(position + 2)..]);
        }
        return false;
    }
}
