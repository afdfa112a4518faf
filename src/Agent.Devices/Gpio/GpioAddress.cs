namespace Agent.Devices.Gpio;

/// <summary>A line, by its name or by its chip and offset.</summary>
/// <param name="Line">Its name, <c>null</c> if it goes by its offset.</param>
/// <param name="Chip">Its chip's node, name or label; <c>null</c> for a name that is looked for on all chips.</param>
/// <param name="Offset">On that chip, from 0.</param>
public sealed record GpioAddress(string? Line, string? Chip, int? Offset)
{
    public override string ToString() => (Line is null ? $"GPIO line {Offset}" : $"GPIO line \"{Line}\"") + (Chip is null ? "" : $" of chip \"{Chip}\"");
}

/// <summary>A line cannot be used; the message names it and the mend.</summary>
internal sealed class GpioException(string message) : Exception(message);
