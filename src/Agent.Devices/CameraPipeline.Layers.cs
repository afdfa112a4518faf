using Agent.Devices.Encoders;
using Agent.Devices.Sources;

namespace Agent.Devices;

/// <content>The camera's own stream beside the smaller one for thin links.</content>
public sealed partial class CameraPipeline
{
    /// <summary>When the newest picture of any layer was captured, CLOCK_MONOTONIC since its zero; zero before the first.</summary>
    public TimeSpan LastCapturedAt =>
        Hub.LastCapturedAt is var main && Hub.SmallLayer?.LastCapturedAt is { } small && small > main ? small : main;

    private IReadOnlyList<LayerStatus> GetLayers(TimeSpan now)
    {
        var main = new LayerStatus(
            Hub.Layer, _passesThrough ? EncoderLadder.Passthrough : _encoders.Name, _width, _height, _encodedFrames.PerSecond(now), (long)_bits.PerSecond(now),
            _passesThrough && _keepsItsBitrate ? null : AdaptedBitrate, Hub.Viewers, Interlocked.Read(ref _dropped));
        return Hub.SmallLayer is null ? [main] : [main, _small!.Status];
    }

    private void OfferToSmallLayer(CapturedFrame frame, string source)
    {
        var format = frame.Format;
        var isServed = _small?.Serves(format) == true;
        Hub.SmallLayer = isServed ? _small!.Hub : null;
        // What a viewer must be able to take for the main stream to be worth its while.
        Hub.BitrateFloor = isServed
            ? Math.Max(FrameRateStep.GetFloor(format, _targetBitrate), Math.Min(Options.Encoder.MinimumBitrateBps, _targetBitrate))
            : 0;
        if (isServed) _small!.Offer(frame, source);
        else _small?.Rest();
    }

    private void ShowNotice(string reason, VideoFormat format)
    {
        _stream.ShowNotice(reason, format);
        _small?.ShowNotice(reason, format);
    }
}
