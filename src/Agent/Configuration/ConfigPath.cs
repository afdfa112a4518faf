namespace Agent.Configuration;

/// <summary>Key paths as messages write them, and the guess at what a misspelt key meant.</summary>
internal static class ConfigPath
{
    public static string Append(string parent, string name) => parent.Length == 0 ? name : $"{parent}.{name}";

    /// <summary>"did you mean …?" or, if nothing is near, what there is to choose from.</summary>
    public static string Suggest(string found, IEnumerable<string> known)
    {
        var all = known.ToList();
        var nearest = all.MinBy(k => Distance(found, k));
        // A third of the letters may be wrong before a guess is more confusing than a list.
        return nearest is not null && Distance(found, nearest) <= Math.Max(1, nearest.Length / 3)
            ? $"did you mean \"{nearest}\"?"
            : $"use one of {string.Join(", ", all)}.";
    }

    /// <summary>Edits from one name to the other, case aside: insert, delete, replace, swap of neighbours (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        a = a.ToLowerInvariant();
        b = b.ToLowerInvariant();
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }

                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
