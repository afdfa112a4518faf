namespace Agent.Rtc.Tests.Network;

/// <summary>Repeatable "random" bytes.</summary>
internal sealed class SeededRandomSource(int seed) : IRandomSource
{
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> destination) => _random.NextBytes(destination);
}
