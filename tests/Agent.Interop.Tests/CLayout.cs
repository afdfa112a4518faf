using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Agent.Interop.Tests;

/// <summary>Writes assertions in C of what is declared in C#, for a C compiler to check against the system's own headers.</summary>
internal static class CLayout
{
    /// <summary>One assertion for each public constant.</summary>
    public static IEnumerable<string> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral)
            .Select(field => Assertion(field.Name, Convert.ToInt64(field.GetRawConstantValue(), null), field.Name));

    /// <summary>Its size, and the offset and size of each field.</summary>
    public static IEnumerable<string> Structure(Type type)
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

    public static string Assertion(string expression, long value, string message) =>
        $"_Static_assert((unsigned long)({expression}) == {(ulong)value}UL, \"{message}\");";

    private static int SizeOf(Type type) =>
        type.IsPointer ? IntPtr.Size : (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    /// <summary>What the compiler says; empty if it is content.</summary>
    public static string Compile(string compiler, string source)
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
