using System.Runtime.CompilerServices;

namespace Agent.Rtc.Tests.Network;

/// <summary>Reads recorded messages from the source tree's Vectors folder.</summary>
internal static class TestVectors
{
    /// <summary>A file of hexadecimal digits, with line breaks anywhere.</summary>
    public static byte[] ReadHex(string file, [CallerFilePath] string caller = "")
    {
        // The caller sits one folder below the test project.
        var folder = Path.Combine(Path.GetDirectoryName(caller)!, "..", "Vectors");
        return Convert.FromHexString(File.ReadAllText(Path.Combine(folder, file)).ReplaceLineEndings(""));
    }
}
