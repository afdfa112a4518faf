namespace Agent.Home;

/// <summary>What the configuration's names are as entities.</summary>
internal static partial class EntityNames
{
    /// <summary>
    /// Whether no entity has one of these ids yet; otherwise the log says what is left out. Sections share the ids, which the
    /// configuration's check of one section cannot know.
    /// </summary>
    /// <param name="entities">Every entity so far.</param>
    /// <param name="log">Told of the first id that is taken.</param>
    /// <param name="what">What is left out without them, such as the configuration's section.</param>
    /// <param name="ids">All that it needs.</param>
    internal static bool AreFree(EntityRegistry entities, ILogger log, string what, params ReadOnlySpan<string> ids)
    {
        foreach (var id in ids)
        {
            if (entities.Find(id) is null) continue;
            LogTaken(log, what, id);
            return false;
        }
        return true;
    }

    /// <summary>A name as people read it.</summary>
    internal static string ToWords(string name) => name.Replace('_', ' ');

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What} is left out: something else is called \"{Id}\"; rename one")]
    private static partial void LogTaken(ILogger log, string what, string id);
}
