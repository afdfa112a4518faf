using System.Diagnostics;
using Agent.Media;

namespace Agent.Transport.Tests;

/// <summary>A camera whose pictures are bytes that a viewer can recognise. The test publishes them.</summary>
internal sealed class TestCamera
{
    internal const string Name = "main";
    private static readonly byte[] StartCode = [0, 0, 0, 1];

    // Baseline 3.1, 320 × 240, as x264 writes them.
    private static readonly byte[] Sps = Convert.FromHexString("6742c01fda0501ec80440000030004000003000f23c60ca8");
    private static readonly byte[] Pps = Convert.FromHexString("68ce0f2c80");

    private readonly AccessUnitPool _pool = new();
    private int _number;

    internal TestCamera(string layer = "main")
    {
        Hub = new FrameHub(Name, new StoppedClock(), layer);
        Hub.SetProfileLevelId("42c01f");
        Hub.NoteFrame();
    }

    /// <summary>Its clock stands still: however long a busy machine takes, the camera is not one that has fallen silent.</summary>
    internal FrameHub Hub { get; }

    internal Dictionary<string, FrameHub> Hubs => new(StringComparer.Ordinal) { [Name] = Hub };

    /// <summary>Publishes one picture: an IDR if asked for by argument or by the hub.</summary>
    /// <returns>Its Annex B bytes, and whether it is an IDR.</returns>
    internal (byte[] Bytes, bool IsKeyFrame) Publish(bool keyFrame = false, int size = 5000, TimeSpan? at = null)
    {
        var capturedAt = at ?? Stopwatch.GetElapsedTime(0);
        var isKeyFrame = keyFrame | Hub.TakeKeyFrameRequest(capturedAt);
        var picture = new byte[size];
        new Random(_number++).NextBytes(picture);
        for (var i = 0; i < picture.Length; i++)
            picture[i] |= 1; // no start code inside
        picture[0] = isKeyFrame ? (byte)0x65 : (byte)0x41;
        byte[] bytes = isKeyFrame ? [.. StartCode, .. Sps, .. StartCode, .. Pps, .. StartCode, .. picture] : [.. StartCode, .. picture];
        var accessUnit = _pool.Create(bytes, capturedAt);
        Hub.Publish(accessUnit);
        accessUnit.Release();
        return (bytes, isKeyFrame);
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override long GetTimestamp() => 1;
    }
}
