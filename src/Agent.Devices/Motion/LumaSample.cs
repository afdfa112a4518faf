using Agent.Media.Motion;

namespace Agent.Devices.Motion;

/// <summary>
/// What is kept of a picture to look for motion in: its coarse luma, or the camera's JPEG picture, of which that is still to be made. Owned by
/// one thread at a time.
/// </summary>
internal sealed class LumaSample
{
    private byte[] _jpeg = [];
    private int _jpegLength;

    /// <summary>Capture instant, CLOCK_MONOTONIC since its zero.</summary>
    public TimeSpan CapturedAt { get; set; }

    /// <summary>Pixels of the picture.</summary>
    public int Width { get; set; }

    public int Height { get; set; }

    /// <summary>Room for any grid.</summary>
    public ushort[] Cells { get; } = new ushort[LumaGrid.LongestSide * LumaGrid.LongestSide];

    /// <summary>Empty if <see cref="Cells"/> are filled.</summary>
    public ReadOnlySpan<byte> Jpeg => _jpeg.AsSpan(0, _jpegLength);

    /// <summary>Copies a JPEG picture; an empty one says that <see cref="Cells"/> are filled.</summary>
    public void SetJpeg(ReadOnlySpan<byte> jpeg)
    {
        if (_jpeg.Length < jpeg.Length) _jpeg = new byte[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)jpeg.Length)];
        jpeg.CopyTo(_jpeg);
        _jpegLength = jpeg.Length;
    }
}
