using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Agent.Media.Tests;

/// <summary>The ffmpeg and ffprobe command lines: an oracle on streams that this project writes, and a maker of streams that it reads.</summary>
internal static class FfmpegTool
{
    /// <summary>Decodes an H.264 stream to YU12 pictures, one behind the other. A warning of the decoder is a failure.</summary>
    public static byte[] Decode(byte[] annexB)
    {
        var (output, messages) = Run("ffmpeg", "-v warning -err_detect explode -f h264 -i - -fps_mode passthrough -f rawvideo -pix_fmt yuv420p -", annexB);
        Assert.Equal("", messages);
        return output;
    }

    /// <summary>The headers of every NAL unit as text: a line per syntax element, with its value behind "=".</summary>
    public static string[] TraceHeaders(byte[] annexB) =>
        Run("ffmpeg", "-v info -f h264 -i - -c copy -bsf:v trace_headers -f null -", annexB).Messages.Split('\n');

    /// <summary>The values of one syntax element in <see cref="TraceHeaders"/>, in the order of the stream.</summary>
    public static List<int> Values(string[] headers, string element) =>
    [
        .. headers.Where(line => line.Contains($" {element} ", StringComparison.Ordinal))
            .Select(static line => int.Parse(line[(line.LastIndexOf('=') + 1)..], CultureInfo.InvariantCulture)),
    ];

    public static string Probe(string arguments, byte[] annexB) => Encoding.UTF8.GetString(Run("ffprobe", "-v error " + arguments + " -f h264 -", annexB).Output).Trim();

    /// <summary>What the command wrote to standard output and to standard error; fails the test if it failed.</summary>
    public static (byte[] Output, string Messages) Run(string tool, string arguments, byte[]? input = null)
    {
        using var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var messages = process.StandardError.ReadToEndAsync();
        var feeding = Task.Run(() =>
        {
            using var standardInput = process.StandardInput.BaseStream;
            if (input is not null) standardInput.Write(input);
        });
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        feeding.Wait();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{tool} {arguments}: {messages.Result}");
        return (output.ToArray(), messages.Result);
    }
}
