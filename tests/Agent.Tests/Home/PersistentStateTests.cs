using Agent.Home;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agent.Tests.Home;

public sealed class PersistentStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("state-").FullName;

    private string FilePath => Path.Combine(_folder, PersistentState.FileName);

    private static PersistentState Open(string? folder) => new(folder, NullLogger<PersistentState>.Instance);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_is_kept_is_there_in_the_next_run_and_what_is_forgotten_is_not()
    {
        var folder = Path.Combine(_folder, "new");
        await using (var state = Open(folder))
        {
            state.Keep("camera.porch.privacy", "ON");
            state.Keep("lamp", "40");
            state.Keep("lamp", null);
            Assert.Equal("ON", state.Find("camera.porch.privacy"));
        }
        await using var next = Open(folder);
        Assert.Equal(("ON", null), (next.Find("camera.porch.privacy"), next.Find("lamp")));
        Assert.Equal([PersistentState.FileName], Directory.EnumerateFiles(folder).Select(Path.GetFileName));
    }

    [Fact]
    public async Task Without_a_folder_values_last_for_the_run()
    {
        await using var state = Open(null);
        state.Keep("lamp", "40");
        Assert.Equal("40", state.Find("lamp"));
    }

    [Fact]
    public async Task A_file_cut_off_at_any_length_is_put_aside_and_the_agent_starts_afresh()
    {
        await using (var state = Open(_folder)) state.Keep("lamp", "40");
        var whole = await File.ReadAllBytesAsync(FilePath);
        for (var length = 0; length < whole.Length; length++)
        {
            await File.WriteAllBytesAsync(FilePath, whole[..length]);
            await using var state = Open(_folder);
            Assert.Null(state.Find("lamp"));
            Assert.Equal(whole[..length], await File.ReadAllBytesAsync($"{FilePath}.unreadable"));
            Assert.False(File.Exists(FilePath));
        }
        await File.WriteAllTextAsync(FilePath, "{\"lamp\": 40}");
        await using var other = Open(_folder);
        Assert.Null(other.Find("lamp"));
        Assert.True(File.Exists($"{FilePath}.unreadable"));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named_in_the_log_once()
    {
        var file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "");
        var log = new Lines();
        await using (var state = new PersistentState(Path.Combine(file, "sub"), log))
        {
            state.Keep("lamp", "40");
            await WaitForAsync(() => log.All.Count == 1);
            state.Keep("lamp", "41");
        }
        Assert.Contains(file, Assert.Single(log.All), StringComparison.Ordinal);
    }

    private static async Task WaitForAsync(Func<bool> isSo)
    {
        for (var deadline = DateTime.UtcNow.AddSeconds(20); !isSo(); await Task.Delay(10)) Assert.True(DateTime.UtcNow < deadline, "nothing was logged");
    }

    private sealed class Lines : ILogger<PersistentState>
    {
        private readonly List<string> _all = [];

        public IReadOnlyList<string> All
        {
            get
            {
                lock (_all) return [.. _all];
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_all) _all.Add(formatter(state, exception));
        }
    }
}
