using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Agent.Interop.OpenSsl;

namespace Agent.Interop.Tests.OpenSsl;

public sealed class OpenSslHeaderTests
{
    [Fact]
    public void Every_constant_and_structure_is_what_the_c_headers_say()
    {
        var source = new StringBuilder(
            """
            #include <stddef.h>
            #include <sys/time.h>
            #include <openssl/bio.h>
            #include <openssl/err.h>
            #include <openssl/evp.h>
            #include <openssl/srtp.h>
            #include <openssl/ssl.h>
            #include <openssl/x509_vfy.h>

            """);
        var constants = new[] { typeof(LibCrypto), typeof(LibSsl) }
            .SelectMany(static type => type.GetFields(BindingFlags.Static | BindingFlags.NonPublic))
            .Where(static field => field.IsLiteral && field.Name.Contains('_', StringComparison.Ordinal) && field.Name != nameof(LibSsl.DTLS1_3_VERSION))
            .ToArray();
        foreach (var constant in constants)
        {
            var value = Convert.ToUInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture);
            source.Append(CultureInfo.InvariantCulture, $"_Static_assert({constant.Name} == {value}ULL, \"{constant.Name}\");\n");
        }

        AppendLayout<LibSsl.Timeval>(source, "struct timeval");
        AppendLayout<LibSsl.SRTP_PROTECTION_PROFILE>(source, "SRTP_PROTECTION_PROFILE");
        Assert.True(constants.Length > 25, $"only {constants.Length} constants were found");

        using var compiler = Process.Start(new ProcessStartInfo("cc", "-x c -fsyntax-only -")
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        })!;
        compiler.StandardInput.Write(source);
        compiler.StandardInput.Close();
        var errors = compiler.StandardError.ReadToEnd();
        compiler.WaitForExit();
        Assert.True(compiler.ExitCode == 0, errors);
    }

    private static void AppendLayout<T>(StringBuilder source, string name)
        where T : unmanaged
    {
        source.Append(CultureInfo.InvariantCulture, $"_Static_assert(sizeof({name}) == {Marshal.SizeOf<T>()}, \"size of {name}\");\n");
        foreach (var field in typeof(T).GetFields(BindingFlags.Instance | BindingFlags.NonPublic))
        {
            source.Append(
                CultureInfo.InvariantCulture,
                $"_Static_assert(offsetof({name}, {field.Name}) == {Marshal.OffsetOf<T>(field.Name)}, \"offset of {field.Name}\");\n");
        }
    }
}
