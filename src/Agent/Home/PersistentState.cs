using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;

namespace Agent.Home;

/// <summary>
/// What has been chosen at run time and must survive a restart: texts by name, in one small file. Thread-safe; one task writes, and several
/// changes in a row become one write. A file that cannot be read is put aside, never overwritten.
/// </summary>
internal sealed partial class PersistentState : IAsyncDisposable
{
    public const string FileName = "state.json";

    private readonly ILogger _log;
    private readonly string? _path;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, string> _values = [];
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _writer;
    private bool _isFailing;

    /// <param name="directory">Where the file is; is made if it is not there. <c>null</c> keeps nothing beyond this run.</param>
    /// <param name="log">Says what is not kept, and why.</param>
    public PersistentState(string? directory, ILogger<PersistentState> log)
    {
        _log = log;
        Folder = directory;
        _path = directory is null ? null : Path.Combine(directory, FileName);
        if (_path is null) LogKeepsNothing();
        else Read(_path);
        _writer = Task.Run(WriteAsync);
    }

    /// <summary>Where the file is; <c>null</c> if nothing is kept beyond this run.</summary>
    public string? Folder { get; }

    /// <summary>The value, <c>null</c> if there is none.</summary>
    public string? Find(string name)
    {
        lock (_lock) return _values.GetValueOrDefault(name);
    }

    /// <summary>Keeps a value, or forgets it if it is <c>null</c>; it is on the disk soon afterwards.</summary>
    public void Keep(string name, string? value)
    {
        lock (_lock)
        {
            if (_values.GetValueOrDefault(name) == value) return;
            if (value is null) _values.Remove(name);
            else _values[name] = value;
        }
        _changed.Writer.TryWrite(true);
    }

    /// <summary>Writes what is not on the disk yet.</summary>
    public async ValueTask DisposeAsync()
    {
        _changed.Writer.TryComplete();
        await _writer;
    }

    private void Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            foreach (var (name, value) in JsonSerializer.Deserialize(file, PersistentStateJson.Default.DictionaryStringString) ?? []) _values[name] = value;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // The first run.
        }
        catch (JsonException e)
        {
            var aside = $"{path}.unreadable";
            LogUnreadable(path, e.Message, aside);
            try
            {
                File.Move(path, aside, overwrite: true);
            }
            catch (Exception moving) when (moving is IOException or UnauthorizedAccessException)
            {
                LogNotKept(path, moving.Message);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotKept(path, e.Message);
        }
    }

    private async Task WriteAsync()
    {
        await foreach (var _ in _changed.Reader.ReadAllAsync())
        {
            if (_path is null) continue;
            byte[] json;
            lock (_lock) json = JsonSerializer.SerializeToUtf8Bytes(_values, PersistentStateJson.Default.DictionaryStringString);
            try
            {
                Write(_path, json);
                _isFailing = false;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (!_isFailing) LogNotKept(_path, e.Message);
                _isFailing = true;
            }
        }
    }

    /// <summary>A power cut leaves the former file or the new one, never half of one (rename(2)).</summary>
    private static void Write(string path, byte[] json)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            file.Write(json);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "No stateDirectory: what is switched at run time, such as privacy, starts afresh with the agent")]
    private partial void LogKeepsNothing();

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path}: {Problem}; what is switched at run time will not survive a restart until this is mended")]
    private partial void LogNotKept(string path, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} cannot be read: {Problem} It is kept as {Aside}, and the agent starts afresh")]
    private partial void LogUnreadable(string path, string problem, string aside);
}

[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, WriteIndented = true)]
internal sealed partial class PersistentStateJson : JsonSerializerContext;
