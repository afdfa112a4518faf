namespace Agent.Media.Notices;

/// <summary>Writes one residual block with CAVLC (H.264 §7.3.5.3.2, §9.2): 16 luma coefficients beside empty blocks, or 4 of chroma DC.</summary>
internal static class CavlcBlock
{
    /// <summary>A luma block: Intra16x16DCLevel.</summary>
    public const int LumaLength = 16;

    /// <summary>ChromaDCLevel of 4:2:0.</summary>
    public const int ChromaLength = 4;

    private const int MaximumTrailingOnes = 3;

    /// <summary>With more coefficients than this the first level has a suffix (§9.2.2.1).</summary>
    private const int CoefficientsForSuffix = 10;

    private const int MaximumSuffixLength = 6;

    /// <summary>level_prefix 14 and 15 announce long suffixes (§9.2.2.1).</summary>
    private const int EscapePrefix = 15;
    private const int ShortEscapePrefix = 14;
    private const int ShortEscapeLength = 4;
    private const int EscapeLength = 12;

    /// <param name="writer">Where to.</param>
    /// <param name="coefficients">In scanning order; the length says which kind of block it is.</param>
    public static void Write(RbspWriter writer, ReadOnlySpan<int> coefficients)
    {
        // Levels and the zeros before each of them, from the highest frequency down.
        Span<int> levels = stackalloc int[LumaLength];
        Span<int> runs = stackalloc int[LumaLength];
        int count = 0, totalZeros = 0;
        for (var i = coefficients.Length - 1; i >= 0; i--)
        {
            if (coefficients[i] != 0)
            {
                levels[count] = coefficients[i];
                runs[count++] = 0;
            }
            else if (count > 0)
            {
                runs[count - 1]++;
                totalZeros++;
            }
        }
        var trailingOnes = 0;
        while (trailingOnes < Math.Min(count, MaximumTrailingOnes) && Math.Abs(levels[trailingOnes]) == 1) trailingOnes++;

        var isChroma = coefficients.Length == ChromaLength;
        Code(writer, isChroma ? CavlcTables.ChromaToken(count, trailingOnes) : CavlcTables.Token(count, trailingOnes));
        if (count == 0) return;
        for (var i = 0; i < trailingOnes; i++) writer.Flag(levels[i] < 0);
        WriteLevels(writer, levels[..count], trailingOnes);
        if (count == coefficients.Length) return;
        Code(writer, isChroma ? CavlcTables.ChromaTotalZeros(count, totalZeros) : CavlcTables.TotalZeros(count, totalZeros));
        var zerosLeft = totalZeros;
        for (var i = 0; i < count - 1 && zerosLeft > 0; i++)
        {
            Code(writer, CavlcTables.RunBefore(zerosLeft, runs[i]));
            zerosLeft -= runs[i];
        }
    }

    /// <summary>level_prefix and level_suffix of each level behind the trailing ones: the parsing of §9.2.2.1 the other way round.</summary>
    private static void WriteLevels(RbspWriter writer, ReadOnlySpan<int> levels, int trailingOnes)
    {
        var suffixLength = levels.Length > CoefficientsForSuffix && trailingOnes < MaximumTrailingOnes ? 1 : 0;
        for (var i = trailingOnes; i < levels.Length; i++)
        {
            var level = levels[i];
            var code = level > 0 ? 2 * level - 2 : -2 * level - 1;
            // Were it one, it would be a trailing one.
            if (i == trailingOnes && trailingOnes < MaximumTrailingOnes) code -= 2;
            WriteLevelCode(writer, code, suffixLength);
            if (suffixLength == 0) suffixLength = 1;
            if (Math.Abs(level) > 3 << (suffixLength - 1) && suffixLength < MaximumSuffixLength) suffixLength++;
        }
    }

    private static void WriteLevelCode(RbspWriter writer, int code, int suffixLength)
    {
        int prefix, suffix;
        if (suffixLength == 0 && code >= ShortEscapePrefix)
        {
            (prefix, suffix, suffixLength) = code < ShortEscapePrefix + (1 << ShortEscapeLength)
                ? (ShortEscapePrefix, code - ShortEscapePrefix, ShortEscapeLength)
                : (EscapePrefix, code - ShortEscapePrefix - (1 << ShortEscapeLength), EscapeLength);
        }
        else
        {
            prefix = Math.Min(code >> suffixLength, EscapePrefix);
            suffix = code - (prefix << suffixLength);
            if (prefix == EscapePrefix) suffixLength = EscapeLength;
        }
        writer.Bits(1, prefix + 1);
        writer.Bits((uint)suffix, suffixLength);
    }

    private static void Code(RbspWriter writer, (byte Code, byte Length) code) => writer.Bits(code.Code, code.Length);
}
