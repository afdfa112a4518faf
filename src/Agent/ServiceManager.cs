using System.Globalization;

namespace Agent;

/// <summary>What has started the agent.</summary>
internal static class ServiceManager
{
    /// <summary>The first process of a container, whose restart policy starts it again.</summary>
    private const int FirstProcess = 1;

    /// <summary>
    /// Whether the agent is started again when it ends with <see cref="CommandLine.ExitCode.Restart"/>: under systemd, which names the
    /// process that it has started (systemd.exec(5), $SYSTEMD_EXEC_PID), and in containers.
    /// </summary>
    /// <param name="variable">An environment variable by name.</param>
    /// <param name="processId">This process.</param>
    public static bool StartsAgain(Func<string, string?> variable, int processId) =>
        processId == FirstProcess || variable("SYSTEMD_EXEC_PID") == processId.ToString(CultureInfo.InvariantCulture);
}
