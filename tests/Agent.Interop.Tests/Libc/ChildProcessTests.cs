using System.Diagnostics;
using System.Globalization;
using System.Text;
using Agent.Interop.Libc;

namespace Agent.Interop.Tests.Libc;

public sealed class ChildProcessTests
{
    private const int PipeSize = 65536;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static ChildProcess Shell(string script, TimeSpan? grace = null)
    {
        var child = ChildProcess.TryStart("/bin/sh", ["-c", script], PipeSize, grace ?? Limit, out var errno);
        Assert.True(child is not null, $"errno {errno}");
        return child;
    }

    /// <summary>Reads until the output ends.</summary>
    private static string ReadAll(ChildProcess child)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!child.OutputEnded)
        {
            Assert.False(child.Wait(Limit).IsTimeout);
            int count;
            while ((count = child.ReadOutput(buffer)) > 0) text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }
        return text.ToString();
    }

    private static string ReadLine(ChildProcess child)
    {
        var line = new StringBuilder();
        var buffer = new byte[1];
        while (true)
        {
            if (child.ReadOutput(buffer) == 0) Assert.True(child.Wait(Limit).Output);
            else if (buffer[0] == '\n') return line.ToString();
            else line.Append((char)buffer[0]);
        }
    }

    private static bool IsAlive(string processId) =>
        // A zombie whose parent does not collect it is no longer running.
        File.Exists($"/proc/{processId}/stat") && !File.ReadAllText($"/proc/{processId}/stat").Contains(") Z ", StringComparison.Ordinal);

    [Fact]
    public void Output_error_and_status_arrive_and_arguments_are_taken_as_they_are()
    {
        using var child = ChildProcess.TryStart("/bin/sh", ["-c", "echo \"$1\"; echo problem >&2; exit 7", "name", "a 'b' $HOME *"], PipeSize, Limit, out _)!;
        Assert.Equal("a 'b' $HOME *\n", ReadAll(child));
        while (!child.Wait(Limit).Error)
        {
        }
        var buffer = new byte[100];
        Assert.Equal("problem\n", Encoding.UTF8.GetString(buffer, 0, child.ReadError(buffer)));
        while (!child.Wait(Limit).Exited)
        {
        }
        Assert.Equal(new ChildExit(7, false), child.Stop());
    }

    [Fact]
    public void A_child_has_its_own_group_no_input_no_other_descriptor_and_default_signals()
    {
        using var kept = File.OpenRead("/dev/zero");
        using var child = Shell("cat; ls /proc/self/fd; ps -o pgid= -p $$; grep -E 'Sig(Blk|Ign)' /proc/self/status");
        var lines = ReadAll(child).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        // 3 is the directory that ls reads.
        Assert.Equal(["0", "1", "2", "3", child.ProcessId.ToString(CultureInfo.InvariantCulture), "SigBlk:\t0000000000000000"], lines[..^1]);
        // 32 and 33 are glibc's own, which its posix_spawn leaves ignored.
        const long GlibcSignals = 0b11L << 31;
        Assert.Equal(0, Convert.ToInt64(lines[^1].Split('\t')[1], 16) & ~GlibcSignals);
    }

    [Fact]
    public void What_cannot_be_started_is_an_errno_and_leaves_no_descriptor()
    {
        var before = Directory.GetFiles("/proc/self/fd").Length;
        Assert.Null(ChildProcess.TryStart("/nonexistent", [], PipeSize, Limit, out var missing));
        Assert.Null(ChildProcess.TryStart("/etc/passwd", [], PipeSize, Limit, out var forbidden));
        Assert.Equal((2, 13), (missing, forbidden)); // ENOENT, EACCES
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 1);
    }

    [Fact]
    public void Disposing_ends_the_whole_group_at_once()
    {
        string grandchild;
        using (var child = Shell("sleep 1000 & echo $!; wait")) grandchild = ReadLine(child);
        AssertDies(grandchild);
    }

    [Fact]
    public void A_group_that_ignores_SIGTERM_is_killed_after_the_grace_time()
    {
        var child = Shell("trap '' TERM; echo ready; while :; do sleep 1000; done", TimeSpan.FromMilliseconds(200));
        Assert.Equal("ready", ReadLine(child));
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(new ChildExit(SpawnFunctions.SIGKILL, true), child.Stop());
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromMilliseconds(200), Limit);
        child.Dispose();
    }

    [Fact]
    public void What_a_program_leaves_behind_ends_with_it()
    {
        using var child = Shell("sleep 1000 & echo $!; exit 3");
        var left = ReadLine(child);
        while (!child.Wait(Limit).Exited)
        {
        }
        // The pipe is still open in the process that was left behind.
        Assert.False(child.OutputEnded);
        Assert.Equal(new ChildExit(3, false), child.Stop());
        AssertDies(left);
    }

    [Fact]
    public async Task A_wait_ends_when_another_thread_wakes_it()
    {
        using var child = Shell("exec sleep 1000");
        var waiting = Task.Run(() => child.Wait(Limit));
        child.Wake();
        Assert.Equal(new ChildEvents(false, false, false, true), await waiting);
    }

    [Fact]
    public void Two_hundred_starts_leave_neither_processes_nor_descriptors()
    {
        Shell("true").Dispose();
        var before = Directory.GetFiles("/proc/self/fd").Length;
        var children = new List<int>();
        for (var i = 0; i < 200; i++)
        {
            using var child = ChildProcess.TryStart("/bin/sleep", ["1000"], PipeSize, Limit, out _)!;
            children.Add(child.ProcessId);
        }
        // The runtime opens a few of its own meanwhile; a leak would be hundreds.
        Assert.InRange(Directory.GetFiles("/proc/self/fd").Length, 0, before + 20);
        Assert.All(children, static id => Assert.False(File.Exists($"/proc/{id}/stat") && IsChildOfThisProcess(id)));
    }

    /// <summary>False for a process that was given the same number since.</summary>
    private static bool IsChildOfThisProcess(int processId) =>
        File.ReadAllText($"/proc/{processId}/stat").Split(") ")[1].Split(' ')[1] == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);

    /// <summary>A killed process is gone once the kernel has got round to it.</summary>
    private static void AssertDies(string processId) => Assert.True(SpinWait.SpinUntil(() => !IsAlive(processId), Limit), $"process {processId} lives");
}
