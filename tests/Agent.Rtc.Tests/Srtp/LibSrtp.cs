using System.Diagnostics;
using System.Runtime.CompilerServices;
using Agent.Rtc.Srtp;

namespace Agent.Rtc.Tests.Srtp;

/// <summary>A process around libsrtp2, compiled from Vectors/Srtp/libsrtp-oracle.c: the peer that browsers are made with.</summary>
internal sealed class LibSrtp : IDisposable
{
    private static readonly Lazy<string> s_program = new(() => Compile());
    private readonly Process _process;

    public LibSrtp(SrtpProfile profile, ReadOnlySpan<byte> keyAndSalt)
    {
        var name = profile == SrtpProfile.AeadAes128Gcm ? "aes-gcm" : "aes-cm";
        _process = Process.Start(new ProcessStartInfo(s_program.Value, [name, Convert.ToHexString(keyAndSalt)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>The resulting packet, or <c>null</c> if libsrtp refused.</summary>
    public byte[]? Run(string operation, ReadOnlySpan<byte> packet)
    {
        _process.StandardInput.WriteLine($"{operation} {Convert.ToHexString(packet)}");
        var line = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The libsrtp program has ended.");
        return line.StartsWith("error", StringComparison.Ordinal) ? null : Convert.FromHexString(line);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Compile([CallerFilePath] string path = "")
    {
        var source = Path.Combine(Path.GetDirectoryName(path)!, "..", "Vectors", "Srtp", "libsrtp-oracle.c");
        var program = Path.Combine(AppContext.BaseDirectory, "libsrtp-oracle");
        using var gcc = Process.Start(new ProcessStartInfo("gcc", ["-o", program, source, "-lsrtp2"]) { RedirectStandardError = true })!;
        var errors = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        return gcc.ExitCode == 0
            ? program
            : throw new InvalidOperationException($"gcc could not build the libsrtp program (apt-get install gcc libsrtp2-dev):\n{errors}");
    }
}
