using System.Security.Cryptography;

namespace Agent.Rtc;

/// <summary>Where protocol code takes random bytes from: the system's generator in the agent, a seed in tests.</summary>
public interface IRandomSource
{
    /// <summary>Fills the whole span.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>The operating system's cryptographic generator.</summary>
public sealed class SystemRandomSource : IRandomSource
{
    /// <summary>The one instance; it has no state.</summary>
    public static SystemRandomSource Instance { get; } = new();

    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
