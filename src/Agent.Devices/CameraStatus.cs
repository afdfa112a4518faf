namespace Agent.Devices;

/// <summary>What a camera is doing, for the status and the metrics. The counters count from the agent's start.</summary>
/// <param name="Name">The camera's name.</param>
/// <param name="Source">What delivers, and what identifies it.</param>
/// <param name="Encoder">The encoder at work, or "passthrough"; <c>null</c> while there is none.</param>
/// <param name="IsProducing">True while pictures keep coming.</param>
/// <param name="Error">What keeps them from coming, with the mend; <c>null</c> if nothing does.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="FramesPerSecond">Read from the source.</param>
/// <param name="BitrateBps">Encoded or passed through, bit/s.</param>
/// <param name="TargetBitrateBps">What the encoder is to make at most, bit/s.</param>
/// <param name="ProfileLevelId">Six hex digits (RFC 6184 §8.1); <c>null</c> while nothing is produced.</param>
/// <param name="FramesCaptured">Read from the source.</param>
/// <param name="FramesEncoded">Encoded or passed through.</param>
/// <param name="FramesDropped">Lost between source and encoder.</param>
/// <param name="KeyFrames">IDR pictures.</param>
/// <param name="Restarts">Times the source was opened again after a failure.</param>
public sealed record CameraStatus(
    string Name, string Source, string? Encoder, bool IsProducing, string? Error, int Width, int Height, double FramesPerSecond,
    long BitrateBps, int TargetBitrateBps, string? ProfileLevelId, long FramesCaptured, long FramesEncoded, long FramesDropped,
    long KeyFrames, long Restarts)
{
    /// <summary>Why viewers are shown a notice in place of the picture, in a few words; <c>null</c> while they are not.</summary>
    public string? Notice { get; init; }

    /// <summary>What is asked of the encoder at present: the target, or less where viewers' links carry less; <c>null</c> if it keeps a bitrate of its own.</summary>
    public int? AdaptedBitrateBps { get; init; }

    /// <summary>True while the camera is off on purpose: its device is closed, and viewers see a notice.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Those of <see cref="FramesDropped"/> that the source gave damaged.</summary>
    public long FramesDamaged { get; init; }

    /// <summary>Bytes that the CPU copies, converts or decodes for each frame on its way into the encoder; 0 if it reads them where they lie.</summary>
    public long BytesCopiedPerFrame { get; init; }

    /// <summary>Times an encoder failed at work.</summary>
    public long EncoderFailures { get; init; }

    /// <summary>Times the capture thread hung in one call for too long.</summary>
    public long Hangs { get; init; }

    /// <summary>What viewers may be given: the camera's own stream and, if it makes one, the smaller one for thin links.</summary>
    public IReadOnlyList<LayerStatus> Layers { get; init; } = [];
}

/// <summary>One of a camera's streams.</summary>
/// <param name="Name">"main" or "small".</param>
/// <param name="Encoder">The encoder at work, or "passthrough"; <c>null</c> while there is none: the small layer has one only while somebody is given it.</param>
/// <param name="Width">Pixels; 0 before they are known.</param>
/// <param name="Height">Pixels.</param>
/// <param name="FramesPerSecond">Made, which is less than the camera gives where links are thin; 0 while nothing is.</param>
/// <param name="BitrateBps">Made, bit/s.</param>
/// <param name="AdaptedBitrateBps">What is asked of the encoder, bit/s; <c>null</c> if it keeps a bitrate of its own.</param>
/// <param name="Viewers">Who is given this stream.</param>
/// <param name="FramesDropped">Frames that were lost on their way to its encoder, since the agent's start.</param>
public sealed record LayerStatus(
    string Name, string? Encoder, int Width, int Height, double FramesPerSecond, long BitrateBps, int? AdaptedBitrateBps, int Viewers, long FramesDropped);
