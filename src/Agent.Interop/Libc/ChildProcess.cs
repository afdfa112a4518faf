using System.Collections;
using System.Diagnostics;
using System.Runtime.InteropServices;
using static Agent.Interop.Libc.SocketConstants;
using static Agent.Interop.Libc.SpawnFunctions;

namespace Agent.Interop.Libc;

/// <summary>What <see cref="ChildProcess.Wait"/> found.</summary>
/// <param name="Output">Its standard output can be read, or has ended.</param>
/// <param name="Error">Its standard error can be read, or has ended.</param>
/// <param name="Exited">The program has ended; what it wrote before may still wait.</param>
/// <param name="Woken"><see cref="ChildProcess.Wake"/> was called, or a signal came.</param>
public readonly record struct ChildEvents(bool Output, bool Error, bool Exited, bool Woken)
{
    /// <summary>Nothing happened in time.</summary>
    public bool IsTimeout => !(Output || Error || Exited || Woken);
}

/// <summary>How a program ended.</summary>
/// <param name="Status">Its exit status, or the number of the signal that ended it.</param>
/// <param name="IsSignal">A signal ended it.</param>
public readonly record struct ChildExit(int Status, bool IsSignal);

/// <summary>
/// A program run without a shell as the leader of a process group of its own: standard input is /dev/null, standard output and error are
/// pipes, read without blocking; every other descriptor is closed in it and every signal is at its default. <see cref="Dispose"/> ends the
/// whole group. One thread owns it; only <see cref="Wake"/> may be called from another.
/// <para>
/// posix_spawn(3) and not System.Diagnostics.Process, which knows no process groups, reads pipes on threads of the pool, and reaps its
/// children on a thread of its own, so that a process id may belong to another program by the time it is killed.
/// </para>
/// <para>
/// If this process is killed, nothing here can end the group: the program meets the closed pipe (SIGPIPE, EPIPE) when it next writes. One
/// that never writes again is left to systemd, which ends whatever is in the service's control group (KillMode=control-group).
/// </para>
/// </summary>
public sealed unsafe class ChildProcess : IDisposable
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>WTERMSIG and WEXITSTATUS of bits/waitstatus.h.</summary>
    private const int SignalMask = 0x7F;
    private const int ExitStatusShift = 8;
    private const int ExitStatusMask = 0xFF;

    private readonly FileDescriptor _output;
    private readonly FileDescriptor _error;
    private readonly FileDescriptor _process;
    private readonly EventFd _wake = new();
    private readonly TimeSpan _grace;
    private bool _outputEnded;
    private bool _errorEnded;
    private bool _isStopped;

    private ChildProcess(int processId, FileDescriptor output, FileDescriptor error, TimeSpan grace)
    {
        ProcessId = processId;
        _output = output;
        _error = error;
        _grace = grace;
        _process = new FileDescriptor(pidfd_open(processId, 0));
    }

    /// <summary>Its process id, which is its group's too.</summary>
    public int ProcessId { get; }

    /// <summary>Its standard output was read to the end.</summary>
    public bool OutputEnded => _outputEnded;

    /// <summary>Starts a program; <c>null</c> and the errno if the kernel refuses it.</summary>
    /// <param name="path">The executable file; it is not looked for in PATH.</param>
    /// <param name="arguments">What comes after the program's name.</param>
    /// <param name="pipeSize">Bytes the output's pipe should hold; the kernel's limit may leave it smaller.</param>
    /// <param name="grace">How long the group has to end after SIGTERM before it gets SIGKILL.</param>
    /// <param name="errno">0, or that of the call that failed.</param>
    public static ChildProcess? TryStart(string path, IReadOnlyList<string> arguments, int pipeSize, TimeSpan grace, out int errno)
    {
        var pipes = stackalloc int[4];
        errno = pipe2(pipes, O_CLOEXEC) < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (errno != 0) return null;
        var (output, outputEnd) = (new FileDescriptor(pipes[0]), new FileDescriptor(pipes[1]));
        errno = pipe2(pipes + 2, O_CLOEXEC) < 0 ? Marshal.GetLastPInvokeError() : 0;
        var (error, errorEnd) = errno == 0 ? (new FileDescriptor(pipes[2]), new FileDescriptor(pipes[3])) : (null, null);
        ChildProcess? child = null;
        try
        {
            if (error is null) return null;
            // Only the reading ends: O_NONBLOCK belongs to an end, and programs expect their output to block.
            if (fcntl(output, F_SETFL, O_NONBLOCK) < 0 || fcntl(error, F_SETFL, O_NONBLOCK) < 0) throw LibcException.FromLastError("fcntl", "F_SETFL");
            // Best effort: a smaller pipe makes the program wait sooner.
            _ = fcntl(output, F_SETPIPE_SZ, pipeSize);
            errno = Spawn(path, arguments, pipes[1], pipes[3], out var processId);
            if (errno != 0) return null;
            child = new ChildProcess(processId, output, error, grace);
            if (!child._process.IsInvalid) return child;
            errno = Marshal.GetLastPInvokeError();
            child.Dispose();
            return null;
        }
        finally
        {
            outputEnd.Dispose();
            errorEnd?.Dispose();
            if (child is null)
            {
                output.Dispose();
                error?.Dispose();
            }
        }
    }

    /// <summary>Waits until the program has written something, has ended, <see cref="Wake"/> is called or time is up.</summary>
    /// <exception cref="LibcException">ppoll(2) has failed.</exception>
    public ChildEvents Wait(TimeSpan timeout)
    {
        // ppoll leaves out descriptors that are negative.
        var descriptors = stackalloc pollfd[4];
        descriptors[0] = new pollfd { fd = _outputEnded ? -1 : Number(_output), events = POLLIN };
        descriptors[1] = new pollfd { fd = _errorEnded ? -1 : Number(_error), events = POLLIN };
        descriptors[2] = new pollfd { fd = Number(_process), events = POLLIN };
        descriptors[3] = new pollfd { fd = Number(_wake.Descriptor), events = POLLIN };
        var limit = ToTimespec(timeout);
        if (Syscalls.ppoll(descriptors, 4, &limit, null) < 0)
        {
            return Marshal.GetLastPInvokeError() is Errno.EINTR ? new ChildEvents(false, false, false, true) : throw LibcException.FromLastError("ppoll");
        }
        var woken = descriptors[3].revents != 0;
        if (woken) _wake.Drain();
        return new ChildEvents(descriptors[0].revents != 0, descriptors[1].revents != 0, descriptors[2].revents != 0, woken);
    }

    /// <summary>Any thread: ends the present <see cref="Wait"/>, or else the next.</summary>
    public void Wake() => _wake.Signal();

    /// <summary>Reads what waits in its standard output; 0 if nothing waits or it has ended, see <see cref="OutputEnded"/>.</summary>
    /// <exception cref="LibcException">read(2) has failed.</exception>
    public int ReadOutput(Span<byte> buffer) => Read(_output, buffer, ref _outputEnded);

    /// <summary>Reads what waits in its standard error; 0 if nothing waits or it has ended.</summary>
    /// <exception cref="LibcException">read(2) has failed.</exception>
    public int ReadError(Span<byte> buffer) => Read(_error, buffer, ref _errorEnded);

    /// <summary>
    /// Ends the group, if it has not ended: SIGTERM, SIGKILL after the grace time, and SIGKILL to what the program has left behind. The
    /// descriptors are closed by <see cref="Dispose"/>.
    /// </summary>
    /// <returns>
    /// How the program ended; <c>null</c> if that is not known: it cannot be killed (another user's, or stuck in a driver), or this process
    /// does not collect its children (SIGCHLD is ignored).
    /// </returns>
    public ChildExit? Stop()
    {
        if (_isStopped) return null;
        _isStopped = true;
        // Until waitpid the process id cannot be given to another, and so neither can the group's.
        if (!HasExited(TimeSpan.Zero))
        {
            // What kill cannot reach is gone already, or is another user's and ends when it finds its pipe closed.
            _ = kill(-ProcessId, SIGTERM);
            HasExited(_grace);
        }
        _ = kill(-ProcessId, SIGKILL);
        // Not for ever: a process in a driver's uninterruptible wait would hold up the whole shutdown.
        HasExited(_grace);
        int status;
        if (waitpid(ProcessId, &status, WNOHANG) <= 0) return null;
        var signal = status & SignalMask;
        return signal == 0 ? new ChildExit((status >> ExitStatusShift) & ExitStatusMask, false) : new ChildExit(signal, true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        _output.Dispose();
        _error.Dispose();
        _process.Dispose();
        _wake.Dispose();
    }

    private bool HasExited(TimeSpan timeout)
    {
        if (_process.IsInvalid) return false;
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var remaining = timeout - Stopwatch.GetElapsedTime(started);
            var limit = ToTimespec(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero);
            var descriptor = new pollfd { fd = Number(_process), events = POLLIN };
            var ready = Syscalls.ppoll(&descriptor, 1, &limit, null);
            if (ready >= 0) return ready > 0;
            if (Marshal.GetLastPInvokeError() is not Errno.EINTR) throw LibcException.FromLastError("ppoll");
        }
    }

    private static timespec ToTimespec(TimeSpan time) => new()
    {
        tv_sec = time.Ticks / TimeSpan.TicksPerSecond,
        tv_nsec = time.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick,
    };

    private static int Number(FileDescriptor descriptor) => (int)descriptor.DangerousGetHandle();

    private static int Read(FileDescriptor descriptor, Span<byte> buffer, ref bool ended)
    {
        if (ended || buffer.IsEmpty) return 0;
        fixed (byte* pointer = buffer)
        {
            var count = Syscalls.read(descriptor, pointer, (nuint)buffer.Length);
            if (count > 0) return (int)count;
            if (count == 0) ended = true;
            else if (Marshal.GetLastPInvokeError() is not (Errno.EAGAIN or Errno.EINTR)) throw LibcException.FromLastError("read", "pipe");
            return 0;
        }
    }

    private static int Spawn(string path, IReadOnlyList<string> arguments, int output, int error, out int processId)
    {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none = default, all;
        int started = 0;
        var words = new NativeStrings([path, .. arguments]);
        var environment = new NativeStrings([.. Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(static entry => $"{entry.Key}={entry.Value}")]);
        var errno = posix_spawn_file_actions_init(&actions);
        if (errno == 0) errno = posix_spawnattr_init(&attributes);
        try
        {
            if (errno == 0) errno = posix_spawn_file_actions_addopen(&actions, StandardInput, "/dev/null", O_RDONLY, 0);
            if (errno == 0) errno = posix_spawn_file_actions_adddup2(&actions, output, StandardOutput);
            if (errno == 0) errno = posix_spawn_file_actions_adddup2(&actions, error, StandardError);
            // Native libraries do not mark all of theirs close-on-exec.
            if (errno == 0) errno = posix_spawn_file_actions_addclosefrom_np(&actions, StandardError + 1);
            // 0: a new group with the child's own id.
            if (errno == 0) errno = posix_spawnattr_setpgroup(&attributes, 0);
            // The runtime ignores SIGPIPE, and what is ignored stays so across exec: the program would not notice that nobody reads.
            _ = sigfillset(&all);
            if (errno == 0) errno = posix_spawnattr_setsigdefault(&attributes, &all);
            if (errno == 0) errno = posix_spawnattr_setsigmask(&attributes, &none);
            if (errno == 0) errno = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
            if (errno == 0) errno = posix_spawn(&started, path, &actions, &attributes, words.Pointers, environment.Pointers);
        }
        finally
        {
            _ = posix_spawnattr_destroy(&attributes);
            _ = posix_spawn_file_actions_destroy(&actions);
            words.Free();
            environment.Free();
        }
        processId = started;
        return errno;
    }

    /// <summary>Strings as argv and envp want them: pointers to UTF-8, the last one null.</summary>
    private readonly struct NativeStrings
    {
        private readonly int _count;

        public NativeStrings(IReadOnlyList<string> strings)
        {
            _count = strings.Count;
            Pointers = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
            for (var i = 0; i < _count; i++) Pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        }

        public byte** Pointers { get; }

        public void Free()
        {
            for (var i = 0; i < _count; i++) Marshal.FreeCoTaskMem((nint)Pointers[i]);
            NativeMemory.Free(Pointers);
        }
    }
}
