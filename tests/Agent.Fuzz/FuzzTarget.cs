namespace Agent.Fuzz;

/// <summary>One parser under fuzz: it must take any bytes at all without throwing.</summary>
/// <param name="Name">As given on the command line.</param>
/// <param name="Seeds">Valid inputs to mutate.</param>
/// <param name="Run">Parses one input; what it throws is a finding.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Seeds, Action<byte[]> Run);
