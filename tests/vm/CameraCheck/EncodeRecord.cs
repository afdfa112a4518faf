using System.Text;
using Agent.Media;

namespace CameraCheck;

/// <summary>One access unit as it was published.</summary>
/// <param name="CapturedAt">Capture instant.</param>
/// <param name="Start">Where it begins in the record.</param>
/// <param name="Length">Bytes.</param>
/// <param name="IsKeyFrame">Whether it holds an IDR picture.</param>
/// <param name="HasParameterSets">Whether it holds an SPS and a PPS.</param>
/// <param name="Allocated">Managed bytes that the encoder's thread has allocated up to here.</param>
internal readonly record struct EncodedPicture(
    TimeSpan CapturedAt, int Start, int Length, bool IsKeyFrame, bool HasParameterSets, long Allocated);

/// <summary>Records access units on the encoder's thread without allocating; read by others only when that thread has ended or is idle.</summary>
internal sealed class EncodeRecord(int capacity, int bytes)
{
    private readonly EncodedPicture[] _pictures = new EncodedPicture[capacity];
    private readonly byte[] _bytes = new byte[bytes];
    private int _length;
    private int _count;

    public ReadOnlySpan<EncodedPicture> Pictures => _pictures.AsSpan(0, Volatile.Read(ref _count));

    public int Count => Volatile.Read(ref _count);

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public ReadOnlySpan<byte> BytesOf(in EncodedPicture picture) => _bytes.AsSpan(picture.Start, picture.Length);

    public bool Says(in EncodedPicture picture, string text) => BytesOf(picture).IndexOf(Encoding.ASCII.GetBytes(text)) >= 0;

    public void Add(AccessUnit accessUnit)
    {
        var data = accessUnit.Data.Span;
        data.CopyTo(_bytes.AsSpan(_length));
        var hasSets = !accessUnit.FindNalUnit(NalUnitType.SequenceParameterSet).IsEmpty
            && !accessUnit.FindNalUnit(NalUnitType.PictureParameterSet).IsEmpty;
        _pictures[_count] = new EncodedPicture(
            accessUnit.CapturedAt, _length, data.Length, accessUnit.IsKeyFrame, hasSets, GC.GetAllocatedBytesForCurrentThread());
        _length += data.Length;
        Volatile.Write(ref _count, _count + 1);
    }
}
