namespace Agent.Devices.Sources;

/// <summary>Finds programs as execvp(3) does.</summary>
internal static class ExecutableFile
{
    /// <summary>The file of a program: itself if it has a slash, else the first in the folders; <c>null</c> if there is none.</summary>
    /// <param name="name">Name or path.</param>
    /// <param name="searchPath">Folders with colons between, as PATH has them.</param>
    public static string? Find(string name, string? searchPath)
    {
        if (name.Contains('/', StringComparison.Ordinal)) return File.Exists(name) ? name : null;
        return (searchPath ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
    }
}
