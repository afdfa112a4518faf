namespace Agent.Devices.Sources;

/// <summary>
/// The machine-readable capture instant in the test picture. A row of <see cref="CellCount"/> cells lies along the bottom: in a picture of
/// W by H pixels it covers lines H - H/18 to H - 1, and cell i covers columns i*W/64 to (i+1)*W/64 - 1 (divisions round down).
/// A cell is white (luma 235) for 1, black (luma 16) for 0; read the middle of each against luma 128. Cell 0 is the most significant bit:
/// <list type="bullet">
/// <item>cells 0 to 47: wall clock at capture, Unix time in milliseconds;</item>
/// <item>cells 48 to 59: the frame's number, low 12 bits;</item>
/// <item>cells 60 to 63: check: 15 exclusive-or the fifteen four-bit groups before it, so that neither an all-black nor an all-white row
/// passes.</item>
/// </list>
/// </summary>
/// <param name="UnixMilliseconds">Wall clock at capture.</param>
/// <param name="FrameNumber">0 to 4095.</param>
public readonly record struct Timecode(long UnixMilliseconds, int FrameNumber)
{
    /// <summary>One cell per bit.</summary>
    public const int CellCount = 64;

    /// <summary>The row's height is the picture's divided by this.</summary>
    public const int RowDivisor = 18;

    internal const byte Black = 16;
    internal const byte White = 235;
    private const byte Threshold = 128;
    private const int FrameNumberBits = 12;
    private const int CheckBits = 4;
    private const long FrameNumberMask = (1 << FrameNumberBits) - 1;
    private const long MillisecondsMask = (1L << 48) - 1;
    private const int CheckSeed = 0xF;

    /// <summary>The row's bits, cell 0 on top.</summary>
    public ulong ToBits()
    {
        var value = (ulong)(UnixMilliseconds & MillisecondsMask) << FrameNumberBits | (ulong)(FrameNumber & FrameNumberMask);
        return value << CheckBits | Check(value);
    }

    /// <summary>Reads the row of a picture's luma plane; false if its check does not hold.</summary>
    /// <param name="luma">The plane.</param>
    /// <param name="bytesPerLine">Bytes from one line to the next.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="timecode">What the row says.</param>
    public static bool TryRead(ReadOnlySpan<byte> luma, int bytesPerLine, int width, int height, out Timecode timecode)
    {
        timecode = default;
        var line = height - height / RowDivisor / 2;
        if (width < CellCount || luma.Length < line * bytesPerLine + width) return false;
        ulong bits = 0;
        for (var cell = 0; cell < CellCount; cell++)
        {
            var middle = (cell * width / CellCount + (cell + 1) * width / CellCount) / 2;
            bits = bits << 1 | (luma[line * bytesPerLine + middle] >= Threshold ? 1UL : 0);
        }
        var value = bits >> CheckBits;
        if (Check(value) != (bits & CheckSeed)) return false;
        timecode = new Timecode((long)(value >> FrameNumberBits), (int)(value & FrameNumberMask));
        return true;
    }

    private static ulong Check(ulong value)
    {
        ulong check = CheckSeed;
        for (; value != 0; value >>= CheckBits) check ^= value & CheckSeed;
        return check;
    }
}
