namespace Agent.Devices.Sources;

/// <summary>
/// The <c>exec</c> source: any program that the configuration file names. It runs with the agent's rights, so its command comes from that
/// file alone (or the service's environment): nothing that is received over HTTP or MQTT may ever reach
/// <see cref="VideoSourceOptions.Command"/>.
/// </summary>
internal static class ExecCamera
{
    private const string Label = "exec";

    /// <summary>Starts the program.</summary>
    /// <param name="options">Command, size, rate and format, <c>H264</c> without one.</param>
    /// <param name="limits">How long it may take.</param>
    /// <exception cref="VideoSourceException">No command, no such program or format, or it cannot be started.</exception>
    public static ChildVideoSource Open(VideoSourceOptions options, ChildLimits? limits = null)
    {
        if (options.Command is not [{ Length: > 0 } name, ..])
            throw new VideoSourceException("exec: there is no program to run; set source.command to the program and its arguments");
        var path = ExecutableFile.Find(name, Environment.GetEnvironmentVariable("PATH"));
        if (path is null)
        {
            var place = name.Contains('/', StringComparison.Ordinal) ? "there" : "in PATH";
            throw new VideoSourceException($"exec: no program \"{name}\" {place}; install it or correct source.command") { Failure = SourceFailure.Absent };
        }
        var pixelFormat = PixelFormat.H264;
        if (options.PixelFormat is { } wish && !Enum.TryParse(wish, ignoreCase: true, out pixelFormat))
            throw new VideoSourceException($"exec: no pixel format {wish}; choose one of {string.Join(", ", Enum.GetNames<PixelFormat>()).ToUpperInvariant()}");
        return new ChildVideoSource(
            Label, path, [.. options.Command.Skip(1)], new VideoFormat(pixelFormat, options.Width, options.Height, options.FrameRate, 1), limits);
    }
}
