namespace Agent.Media.Notices;

/// <summary>
/// The variable-length codes of CAVLC residual blocks (H.264 Tables 9-5, 9-7, 9-9 and 9-10): for each table the codes' lengths in bits and
/// their values, zero where there is no such code.
/// </summary>
internal static class CavlcTables
{
    /// <summary>coeff_token has this many entries per number of trailing ones.</summary>
    private const int TokensPerRow = 17;
    private const int ChromaTokensPerRow = 5;
    private const int TotalZerosPerRow = 16;
    private const int ChromaTotalZerosPerRow = 4;
    private const int RunsPerRow = 15;

    /// <summary>run_before has one table for all zerosLeft above 6.</summary>
    private const int LastRunTable = 7;

    // Table 9-5, column 0 <= nC < 2: a row per trailing_ones, an entry per total_coeff from 0 to 16.
    private static ReadOnlySpan<byte> TokenLengths =>
    [
        1, 6, 8, 9, 10, 11, 13, 13, 13, 14, 14, 15, 15, 16, 16, 16, 16,
        0, 2, 6, 8, 9, 10, 11, 13, 13, 14, 14, 15, 15, 15, 16, 16, 16,
        0, 0, 3, 7, 8, 9, 10, 11, 13, 13, 14, 14, 15, 15, 16, 16, 16,
        0, 0, 0, 5, 6, 7, 8, 9, 10, 11, 13, 14, 14, 15, 15, 16, 16,
    ];

    private static ReadOnlySpan<byte> TokenCodes =>
    [
        1, 5, 7, 7, 7, 7, 15, 11, 8, 15, 11, 15, 11, 15, 11, 7, 4,
        0, 1, 4, 6, 6, 6, 6, 14, 10, 14, 10, 14, 10, 1, 14, 10, 6,
        0, 0, 1, 5, 5, 5, 5, 5, 13, 9, 13, 9, 13, 9, 13, 9, 5,
        0, 0, 0, 3, 3, 4, 4, 4, 4, 4, 12, 12, 8, 12, 8, 12, 8,
    ];

    // Table 9-5, column nC = -1.
    private static ReadOnlySpan<byte> ChromaTokenLengths =>
    [
        2, 6, 6, 6, 6,
        0, 1, 6, 7, 8,
        0, 0, 3, 7, 8,
        0, 0, 0, 6, 7,
    ];

    private static ReadOnlySpan<byte> ChromaTokenCodes =>
    [
        1, 7, 4, 3, 2,
        0, 1, 6, 3, 3,
        0, 0, 1, 2, 2,
        0, 0, 0, 5, 0,
    ];

    // Tables 9-7 and 9-8: a row per tzVlcIndex from 1, an entry per total_zeros from 0.
    private static ReadOnlySpan<byte> TotalZerosLengths =>
    [
        1, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 9,
        3, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 6, 6, 6, 6, 0,
        4, 3, 3, 3, 4, 4, 3, 3, 4, 5, 5, 6, 5, 6, 0, 0,
        5, 3, 4, 4, 3, 3, 3, 4, 3, 4, 5, 5, 5, 0, 0, 0,
        4, 4, 4, 3, 3, 3, 3, 3, 4, 5, 4, 5, 0, 0, 0, 0,
        6, 5, 3, 3, 3, 3, 3, 3, 4, 3, 6, 0, 0, 0, 0, 0,
        6, 5, 3, 3, 3, 2, 3, 4, 3, 6, 0, 0, 0, 0, 0, 0,
        6, 4, 5, 3, 2, 2, 3, 3, 6, 0, 0, 0, 0, 0, 0, 0,
        6, 6, 4, 2, 2, 3, 2, 5, 0, 0, 0, 0, 0, 0, 0, 0,
        5, 5, 3, 2, 2, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        4, 4, 3, 3, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        4, 4, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    private static ReadOnlySpan<byte> TotalZerosCodes =>
    [
        1, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 1,
        7, 6, 5, 4, 3, 5, 4, 3, 2, 3, 2, 3, 2, 1, 0, 0,
        5, 7, 6, 5, 4, 3, 4, 3, 2, 3, 2, 1, 1, 0, 0, 0,
        3, 7, 5, 4, 6, 5, 4, 3, 3, 2, 2, 1, 0, 0, 0, 0,
        5, 4, 3, 7, 6, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0, 0,
        1, 1, 7, 6, 5, 4, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0,
        1, 1, 5, 4, 3, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 1, 3, 3, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 1, 3, 2, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 1, 3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    // Table 9-9 (a), chroma DC of 4:2:0.
    private static ReadOnlySpan<byte> ChromaTotalZerosLengths =>
    [
        1, 2, 3, 3,
        1, 2, 2, 0,
        1, 1, 0, 0,
    ];

    private static ReadOnlySpan<byte> ChromaTotalZerosCodes =>
    [
        1, 1, 1, 0,
        1, 1, 0, 0,
        1, 0, 0, 0,
    ];

    // Table 9-10: a row per zerosLeft from 1, the last for all above 6; an entry per run_before from 0.
    private static ReadOnlySpan<byte> RunLengths =>
    [
        1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 2, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 2, 2, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 2, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        2, 3, 3, 3, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11,
    ];

    private static ReadOnlySpan<byte> RunCodes =>
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 2, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 0, 1, 3, 2, 5, 4, 0, 0, 0, 0, 0, 0, 0, 0,
        7, 6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ];

    /// <summary>coeff_token of a luma block whose neighbours hold at most one coefficient between them (0 &lt;= nC &lt; 2).</summary>
    public static (byte Code, byte Length) Token(int totalCoefficients, int trailingOnes)
    {
        var index = trailingOnes * TokensPerRow + totalCoefficients;
        return (TokenCodes[index], TokenLengths[index]);
    }

    /// <summary>coeff_token of a chroma DC block (nC = -1).</summary>
    public static (byte Code, byte Length) ChromaToken(int totalCoefficients, int trailingOnes)
    {
        var index = trailingOnes * ChromaTokensPerRow + totalCoefficients;
        return (ChromaTokenCodes[index], ChromaTokenLengths[index]);
    }

    /// <summary>total_zeros of a block of 16 coefficients, of which 1 to 15 are not zero.</summary>
    public static (byte Code, byte Length) TotalZeros(int totalCoefficients, int zeros)
    {
        var index = (totalCoefficients - 1) * TotalZerosPerRow + zeros;
        return (TotalZerosCodes[index], TotalZerosLengths[index]);
    }

    /// <summary>total_zeros of a chroma DC block, of whose four coefficients 1 to 3 are not zero.</summary>
    public static (byte Code, byte Length) ChromaTotalZeros(int totalCoefficients, int zeros)
    {
        var index = (totalCoefficients - 1) * ChromaTotalZerosPerRow + zeros;
        return (ChromaTotalZerosCodes[index], ChromaTotalZerosLengths[index]);
    }

    /// <summary>run_before, with at least one zero left.</summary>
    public static (byte Code, byte Length) RunBefore(int zerosLeft, int run)
    {
        var index = (Math.Min(zerosLeft, LastRunTable) - 1) * RunsPerRow + run;
        return (RunCodes[index], RunLengths[index]);
    }
}
