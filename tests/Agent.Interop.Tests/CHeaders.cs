using System.Diagnostics;
using System.Globalization;

namespace Agent.Interop.Tests;

/// <summary>Asks the C compiler for the values of constant expressions in the installed headers.</summary>
internal static class CHeaders
{
    public static Dictionary<string, long> Ask(string headers, params string[] expressions)
    {
        var lines = expressions.Select(static expression => $"printf(\"%lld\\n\", (long long)({expression}));");
        var directory = Directory.CreateTempSubdirectory("c-headers").FullName;
        try
        {
            var program = Path.Combine(directory, "layout");
            Run("gcc", $"-w -x c -o {program} -", $"#include <stddef.h>\n#include <stdio.h>\n{headers}int main(void) {{ {string.Concat(lines)} return 0; }}");
            var answers = Run(program, "", "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return expressions.Zip(answers).ToDictionary(static p => p.First, static p => long.Parse(p.Second, CultureInfo.InvariantCulture));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Run(string program, string arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors.Result);
        return output.Result;
    }
}
