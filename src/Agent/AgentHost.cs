using System.Net.Sockets;
using Agent.CommandLine;
using Agent.Configuration;
using Agent.Http;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging.Console;

namespace Agent;

/// <summary>One run of the agent: start, wait for SIGTERM or Ctrl-C, stop in order.</summary>
internal static partial class AgentHost
{
    /// <summary>For requests under way when the agent stops; each is answered within milliseconds.</summary>
    private static readonly TimeSpan HttpStopTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>For viewers' BYE, the broker's <c>offline</c> and the threads.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromMilliseconds(1500);

    /// <returns>The process's exit status.</returns>
    public static async Task<int> RunAsync(AgentOptions options)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSystemd();
        ConfigureLogging(builder.Logging, options.LogLevel);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = HttpStopTimeout);
        HttpServer.Configure(builder, options.Http);
        await using var app = builder.Build();
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();
        var logger = loggers.CreateLogger("Agent");
        var isToRestart = false;
        try
        {
            var restart = ServiceManager.StartsAgain(Environment.GetEnvironmentVariable, Environment.ProcessId) ? (Action)Restart : null;
            var composition = new Composition(options, loggers, restart);
            try
            {
                HttpServer.Map(app, options, composition.State, new PageFiles(typeof(AgentHost).Assembly));
                composition.Start();
                await app.StartAsync();
                LogStarted(logger, AgentState.Version, string.Join(' ', app.Urls));
                var interval = ProgressWatch.FindInterval(Environment.GetEnvironmentVariable, Environment.ProcessId);
                var notifier = interval is null ? null : app.Services.GetService<ISystemdNotifier>();
                await using (new ProgressWatch(composition.GetsOnAsync, notifier, interval ?? ProgressWatch.DefaultInterval, logger))
                {
                    await app.WaitForShutdownAsync();
                }
            }
            finally
            {
                await composition.DisposeAsync().AsTask().WaitAsync(StopTimeout);
            }

            LogStopped(logger);
            return isToRestart ? ExitCode.Restart : ExitCode.Success;

            void Restart()
            {
                isToRestart = true;
                app.Lifetime.StopApplication();
            }
        }
        catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // A signal came while the host was starting.
            LogStopped(logger);
            return isToRestart ? ExitCode.Restart : ExitCode.Success;
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidOperationException or DllNotFoundException)
        {
            LogCannotRun(logger, e.Message);
        }
        catch (TimeoutException)
        {
            LogSlowStop(logger, StopTimeout.TotalSeconds);
        }

        return ExitCode.Failure;
    }

    private static void ConfigureLogging(ILoggingBuilder logging, LogLevel level)
    {
        logging.SetMinimumLevel(level);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // What keeps the host from starting is thrown to the caller, who says it in one line.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        logging.AddConsole();
        logging.Services.AddSingleton<ConsoleFormatter>(new OneLineFormatter(SystemdHelpers.IsSystemdService(), TimeProvider.System));
        // After AddSystemd, which would choose a formatter of its own.
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName = OneLineFormatter.FormatterName);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "camera-agent {Version} is up: {Urls}")]
    private static partial void LogStarted(ILogger logger, string version, string urls);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopped")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Cannot run: {Reason}")]
    private static partial void LogCannotRun(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Something did not stop within {Seconds} s; leaving it behind")]
    private static partial void LogSlowStop(ILogger logger, double seconds);
}
