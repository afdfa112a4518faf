using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Agent.Interop.V4l2;

namespace Agent.Interop.Tests.V4l2;

/// <summary>
/// Writes a C file with one _Static_assert for each constant, structure size, field offset and field size declared in C#, and has a C
/// compiler check it against the system's own headers. A difference is a compile error that names the field.
/// </summary>
public sealed class V4l2LayoutTests
{
    private const string Headers = """
        #include <stddef.h>
        #include <errno.h>
        #include <fcntl.h>
        #include <poll.h>
        #include <sys/mman.h>
        #include <linux/videodev2.h>
        #include <linux/uvcvideo.h>
        #include <linux/usb/ch9.h>
        #include <linux/usb/video.h>

        """;

    [Theory]
    [InlineData("gcc")]
    [InlineData("aarch64-linux-gnu-gcc")]
    public void Constants_and_structures_are_those_of_the_headers(string compiler)
    {
        Type[] declaring = [typeof(Videodev2), typeof(Uvcvideo), typeof(V4l2Libc), typeof(V4l2Errno)];
        var constants = declaring.SelectMany(ConstantAssertions).ToList();
        var structures = typeof(v4l2_buffer).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(v4l2_buffer).Namespace && !type.IsNested && (type.Name.StartsWith("v4l2_") || type.Name.StartsWith("uvc_")))
            .SelectMany(StructureAssertions).ToList();
        Assert.True(constants.Count > 50, $"only {constants.Count} constants found");
        Assert.True(structures.Count > 200, $"only {structures.Count} fields found");

        Assert.Equal("", Compile(compiler, Headers + string.Join('\n', constants.Concat(structures)) + "\n"));
    }

    [Fact]
    public void A_wrong_offset_is_noticed()
    {
        var wrong = Assertion("offsetof(struct v4l2_buffer, sequence)", 52, "v4l2_buffer.sequence");

        Assert.Contains("v4l2_buffer.sequence", Compile("gcc", Headers + wrong), StringComparison.Ordinal);
    }

    private static IEnumerable<string> ConstantAssertions(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral)
            .Select(field => Assertion(field.Name, Convert.ToInt64(field.GetRawConstantValue(), null), field.Name));

    private static IEnumerable<string> StructureAssertions(Type type)
    {
        yield return Assertion($"sizeof(struct {type.Name})", SizeOf(type), type.Name);
        foreach (var (path, offset, size) in Fields(type))
        {
            yield return Assertion($"offsetof(struct {type.Name}, {path})", offset, $"{type.Name}.{path}");
            yield return Assertion($"sizeof(((struct {type.Name} *)0)->{path})", size, $"size of {type.Name}.{path}");
        }
    }

    private static IEnumerable<(string Path, int Offset, int Size)> Fields(Type type)
    {
        foreach (var field in type.GetFields(BindingFlags.Public | BindingFlags.Instance))
        {
            var offset = (int)Marshal.OffsetOf(type, field.Name);
            yield return (field.Name, offset, SizeOf(field.FieldType));
            // A union is a nested type here; fixed and inline arrays, nested too, have no members that C could name.
            if (field.FieldType.IsNested
                && !field.FieldType.IsDefined(typeof(CompilerGeneratedAttribute))
                && !field.FieldType.IsDefined(typeof(InlineArrayAttribute)))
            {
                foreach (var (path, inner, size) in Fields(field.FieldType))
                {
                    yield return ($"{field.Name}.{path}", offset + inner, size);
                }
            }
        }
    }

    private static string Assertion(string expression, long value, string message) =>
        $"_Static_assert((unsigned long)({expression}) == {(ulong)value}UL, \"{message}\");";

    private static int SizeOf(Type type) =>
        type.IsPointer ? IntPtr.Size : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    /// <summary>What the compiler says; empty if it is content.</summary>
    private static string Compile(string compiler, string source)
    {
        var start = new ProcessStartInfo(compiler, "-fsyntax-only -D_GNU_SOURCE -x c -")
        {
            RedirectStandardInput = true, RedirectStandardError = true, StandardInputEncoding = new UTF8Encoding(false),
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Write(source);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return errors + (process.ExitCode == 0 ? "" : $"{compiler} exited with {process.ExitCode}");
    }
}
