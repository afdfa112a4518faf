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
        var constants = declaring.SelectMany(type => CLayout.Constants(type)).ToList();
        var structures = typeof(v4l2_buffer).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(v4l2_buffer).Namespace && !type.IsNested && (type.Name.StartsWith("v4l2_") || type.Name.StartsWith("uvc_")))
            .SelectMany(CLayout.Structure).ToList();
        Assert.True(constants.Count > 50, $"only {constants.Count} constants found");
        Assert.True(structures.Count > 200, $"only {structures.Count} fields found");

        Assert.Equal("", CLayout.Compile(compiler, Headers + string.Join('\n', constants.Concat(structures)) + "\n"));
    }

    [Fact]
    public void A_wrong_offset_is_noticed()
    {
        var wrong = CLayout.Assertion("offsetof(struct v4l2_buffer, sequence)", 52, "v4l2_buffer.sequence");

        Assert.Contains("v4l2_buffer.sequence", CLayout.Compile("gcc", Headers + wrong), StringComparison.Ordinal);
    }
}
