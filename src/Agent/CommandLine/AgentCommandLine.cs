using System.Collections;
using System.CommandLine;
using System.Text.Json;
using Agent.Configuration;
using Agent.Devices.Probe;
using Agent.Http;

namespace Agent.CommandLine;

/// <summary>What the process's exit status says.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int Usage = 2;

    /// <summary>The agent was asked to start anew: EX_TEMPFAIL of sysexits.h, which deploy/camera-agent.service names.</summary>
    public const int Restart = 75;
}

/// <summary>The commands, their options, and the exit status of each.</summary>
internal static class AgentCommandLine
{
    /// <param name="arguments">As given to the process.</param>
    /// <param name="run">Runs the agent until it is told to stop.</param>
    /// <param name="output">Standard output.</param>
    /// <param name="error">Standard error.</param>
    /// <returns>0, 1 for a failure at run time, 2 for bad usage or configuration.</returns>
    public static async Task<int> InvokeAsync(string[] arguments, Func<AgentOptions, Task<int>> run, TextWriter output, TextWriter error)
    {
        var parsed = Build(run, output, error).Parse(arguments);
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            // The host takes the signals and stops in order.
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
        };
        var exitCode = await parsed.InvokeAsync(configuration);
        return parsed.Errors.Count > 0 ? ExitCode.Usage : exitCode;
    }

    private static RootCommand Build(Func<AgentOptions, Task<int>> run, TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("FILE") { Description = "The configuration file (JSON with comments)." };
        var config = new Option<string?>("--config") { HelpName = "FILE", Description = "The configuration file; without it a test camera on http://127.0.0.1:8080/." };

        var runCommand = new Command("run", "Run the agent until SIGTERM or Ctrl-C.") { config };
        runCommand.SetAction((parsed, _) =>
            TryLoad(parsed.GetValue(config), error, out var options) ? run(options) : Task.FromResult(ExitCode.Usage));

        var check = new Command("check", "Check a configuration file and the AGENT__ environment variables.") { file };
        check.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!TryLoad(path, error, out _))
            {
                return ExitCode.Usage;
            }

            output.WriteLine($"{path}: good");
            return ExitCode.Success;
        });

        var schema = new Command("schema", "Print the JSON Schema of the configuration file.");
        schema.SetAction(_ => output.Write(ConfigurationSchema.Write()));

        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var suggest = new Option<bool>("--config") { Description = "Print only a configuration that has every camera and every sensor." };
        var probe = new Command("probe", "List the cameras, their formats, the H.264 encoders, the sensors and the GPIO lines of this machine, and suggest a configuration.") { json, suggest };
        probe.SetAction(parsed =>
        {
            var report = CameraProbe.Run();
            if (parsed.GetValue(suggest))
            {
                output.WriteLine(ConfigurationSuggestion.Write(report));
            }
            else if (parsed.GetValue(json))
            {
                output.WriteLine(JsonSerializer.Serialize(report, AgentJson.Default.ProbeReport));
            }
            else
            {
                ProbeText.Write(report, output);
            }
        });

        return new RootCommand("Publishes cameras to browsers over WebRTC. Exit status: 0 success, 1 failure at run time, 2 bad usage or configuration.")
        {
            runCommand,
            probe,
            new Command("config", "Check a configuration, or print its schema.") { check, schema },
        };
    }

    private static bool TryLoad(string? file, TextWriter error, out AgentOptions options)
    {
        var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
        options = ConfigurationLoader.Load(file, environment, out var problems);
        foreach (var problem in problems)
        {
            error.WriteLine(problem);
        }

        return problems.Count == 0;
    }
}
