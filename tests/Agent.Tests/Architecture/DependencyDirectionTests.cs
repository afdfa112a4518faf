using System.Runtime.CompilerServices;
using System.Xml.Linq;

namespace Agent.Tests.Architecture;

/// <summary>Holds docs/architecture.md's arrows against the project files.</summary>
public sealed class DependencyDirectionTests
{
    private static readonly string Sources = FindSources();

    [Theory]
    [InlineData("Agent.Rtc", "")]
    [InlineData("Agent.Media", "")]
    [InlineData("Agent.Interop", "")]
    [InlineData("Agent.Devices", "Agent.Interop Agent.Media")]
    [InlineData("Agent.Transport", "Agent.Interop Agent.Media Agent.Rtc")]
    [InlineData("Agent.Home", "")]
    [InlineData("Agent.Mqtt", "Agent.Home Agent.Interop Agent.Transport")]
    [InlineData("Agent", "Agent.Devices Agent.Home Agent.Mqtt Agent.Transport")]
    public void A_project_references_only_what_the_architecture_allows(string project, string allowed)
    {
        var references = ItemsOf(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal);
        Assert.Equal(allowed, string.Join(' ', references));
    }

    [Fact]
    public void The_protocol_cores_use_the_base_class_library_only() => Assert.Empty(ItemsOf("Agent.Rtc", "PackageReference"));

    [Fact]
    public void Only_Agent_Interop_declares_native_functions()
    {
        var offenders = Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/Agent.Interop/", StringComparison.Ordinal))
            .Where(file => File.ReadAllText(file) is var text &&
                (text.Contains("[LibraryImport", StringComparison.Ordinal) || text.Contains("[DllImport", StringComparison.Ordinal)));
        Assert.Empty(offenders);
    }

    /// <summary>Whoever could set a camera's command could run any program: only the configuration does, which HTTP and MQTT never write.</summary>
    [Fact]
    public void What_the_network_reaches_knows_no_command_and_starts_no_program()
    {
        string[] forbidden = ["VideoSourceOptions", "CameraOptions", "ExecCamera", "RpicamCamera", "ChildVideoSource", "ChildProcess", "Process.Start"];
        var offenders = new[] { "Agent/Http", "Agent.Mqtt", "Agent.Transport", "Agent.Rtc" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Sources, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Where(file => File.ReadAllText(file) is var text && forbidden.Any(word => text.Contains(word, StringComparison.Ordinal)));
        Assert.Empty(offenders);
    }

    [Fact]
    public void Protocol_cores_read_no_clock_and_start_no_task()
    {
        string[] forbidden = ["DateTime.UtcNow", "DateTimeOffset.UtcNow", "Stopwatch.", "Environment.TickCount", "Task.Run", "new Thread", "new Timer", "new Socket"];
        var offenders = Directory.EnumerateFiles(Path.Combine(Sources, "Agent.Rtc"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Where(file => File.ReadAllText(file) is var text && forbidden.Any(word => text.Contains(word, StringComparison.Ordinal)));
        Assert.Empty(offenders);
    }

    private static IEnumerable<string> ItemsOf(string project, string kind) =>
        XDocument.Load(Path.Combine(Sources, project, project + ".csproj")).Descendants(kind).Select(item => item.Attribute("Include")!.Value);

    private static string FindSources([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../../src"));
}
