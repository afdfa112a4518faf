using System.Diagnostics;

namespace Agent.Devices.Tests;

/// <summary>The ffmpeg and ffprobe command lines, as an oracle on what the encoder makes and to make files to read.</summary>
internal static class FfmpegTool
{
    /// <summary>What the command wrote to standard output; throws with its standard error if it failed.</summary>
    public static byte[] Run(string tool, string arguments, byte[]? input = null) => RunWithErrors(tool, "-v error " + arguments, input).Output;

    /// <summary>The same beside what it wrote to standard error; the arguments say how much that is.</summary>
    public static (byte[] Output, string Errors) RunWithErrors(string tool, string arguments, byte[]? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var feeding = Task.Run(() =>
        {
            using var standardInput = process.StandardInput.BaseStream;
            if (input is not null) standardInput.Write(input);
        });
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        feeding.Wait();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{tool} {arguments}: {errors.Result}");
        return (output.ToArray(), errors.Result);
    }

    /// <summary>Decodes an H.264 stream to YU12 pictures, one behind the other.</summary>
    public static byte[] Decode(byte[] annexB) => Run("ffmpeg", "-f h264 -i - -f rawvideo -pix_fmt yuv420p -", annexB);
}
