using System.Diagnostics;

namespace Agent.Devices.Tests;

public sealed class LazyLoadingTests
{
    [Fact]
    public void Libavcodec_is_not_loaded_before_a_library_encodes()
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", typeof(Program).Assembly.Location) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(
            [
                "a pipeline that was not started: False", "a frame of the test source: False", "a published access unit: False",
                "a pipeline that passes through: False", "a pipeline that has a device encode: False", "a question for an encoder: True",
            ],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
