namespace Agent.Fuzz;

/// <summary>Makes new inputs out of seeds: flips, overwrites, cuts, repeats and splices, from a seed number alone.</summary>
internal sealed class Mutator(IReadOnlyList<byte[]> seeds, int seed)
{
    private const int MaximumLength = 64 * 1024;
    private const int MaximumMutations = 6;

    /// <summary>Values at which length and sign checks break.</summary>
    private static readonly byte[] Interesting = [0x00, 0x01, 0x7F, 0x80, 0xFF, (byte)'\r', (byte)'\n', (byte)':', (byte)' ', (byte)'='];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        var input = new List<byte>(Pick(seeds));
        for (var i = _random.Next(MaximumMutations) + 1; i > 0; i--)
        {
            Mutate(input);
        }

        return [.. input.Take(MaximumLength)];
    }

    private void Mutate(List<byte> input)
    {
        var at = _random.Next(input.Count + 1);
        var length = Math.Min(_random.Next(1 + input.Count / 4), input.Count - at);
        switch (_random.Next(7))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = Pick(Interesting);
                break;
            case 2:
                input.RemoveRange(at, length);
                break;
            case 3:
                input.RemoveRange(at, input.Count - at);
                break;
            case 4:
                input.InsertRange(at, input.GetRange(at, length));
                break;
            case 5:
                var other = Pick(seeds);
                var start = _random.Next(other.Length + 1);
                input.InsertRange(at, other[start..(start + _random.Next(other.Length - start + 1))]);
                break;
            default:
                input.Insert(at, (byte)_random.Next(256));
                break;
        }
    }

    private T Pick<T>(IReadOnlyList<T> list) => list[_random.Next(list.Count)];
}
