namespace Agent.Transport;

/// <summary>Work that another thread wants done on the loop's, and the way its result goes back.</summary>
internal abstract class LoopCommand
{
    internal abstract void Run();

    /// <summary>The loop has ended without running it.</summary>
    internal abstract void Abandon();
}

/// <inheritdoc/>
internal sealed class LoopCommand<T>(Func<T> work) : LoopCommand
{
    // Continuations run elsewhere: the loop must not serve HTTP.
    private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Task<T> Completion => _completion.Task;

    internal override void Run()
    {
        try
        {
            _completion.SetResult(work());
        }
#pragma warning disable CA1031 // whatever it is belongs to the caller who asked, and must not stop the other viewers
        catch (Exception error)
#pragma warning restore CA1031
        {
            _completion.SetException(error);
        }
    }

    internal override void Abandon() => _completion.SetException(new ObjectDisposedException(nameof(MediaLoop), "The agent is shutting down."));
}
