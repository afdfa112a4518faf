using System.Globalization;
using System.Text;

namespace Agent.Tests.Http;

internal sealed record PrometheusSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A strict reader of the text exposition format 0.0.4, to judge what the agent writes.</summary>
internal static class PrometheusText
{
    /// <summary>Every sample; asserts that each family has one HELP and one TYPE before it, and no sample comes twice.</summary>
    public static IReadOnlyList<PrometheusSample> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var helped = new HashSet<string>();
        var types = new Dictionary<string, string>();
        var seen = new HashSet<string>();
        var samples = new List<PrometheusSample>();
        foreach (var line in text.Split('\n')[..^1])
        {
            var words = line.Split(' ', 4);
            if (words is ["#", "HELP", var helpedName, _])
            {
                Assert.True(helped.Add(helpedName), line);
            }
            else if (words is ["#", "TYPE", var name, var type])
            {
                Assert.Contains(type, (string[])["counter", "gauge"]);
                Assert.Contains(name, helped);
                Assert.True(types.TryAdd(name, type), line);
                Assert.Equal(type == "counter", name.EndsWith("_total", StringComparison.Ordinal));
            }
            else
            {
                var sample = ParseSample(line);
                Assert.Equal(types.Last().Key, sample.Name);
                Assert.True(seen.Add(line[..line.LastIndexOf(' ')]), line);
                samples.Add(sample);
            }
        }

        return samples;
    }

    private static PrometheusSample ParseSample(string line)
    {
        var at = 0;
        string Name()
        {
            var start = at;
            while (char.IsAsciiLetterOrDigit(line[at]) || line[at] == '_')
            {
                at++;
            }

            Assert.True(at > start && !char.IsAsciiDigit(line[start]), line);
            return line[start..at];
        }

        var name = Name();
        var labels = new Dictionary<string, string>();
        if (line[at] == '{')
        {
            do
            {
                at++;
                var label = Name();
                Assert.Equal("=\"", line.Substring(at, 2));
                var value = new StringBuilder();
                for (at += 2; line[at] != '"'; at++)
                {
                    value.Append(line[at] != '\\' ? line[at] : line[++at] switch
                    {
                        'n' => '\n',
                        '\\' => '\\',
                        '"' => '"',
                        _ => throw new FormatException($"Unknown escape: {line}"),
                    });
                }

                labels.Add(label, value.ToString());
                at++;
            }
            while (line[at] == ',');
            Assert.Equal('}', line[at++]);
        }

        Assert.Equal(' ', line[at++]);
        return new PrometheusSample(name, labels, double.Parse(line[at..], NumberStyles.Float, CultureInfo.InvariantCulture));
    }
}
