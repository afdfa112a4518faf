namespace Agent.Home;

/// <summary>Why a command was refused, as a word for programs: the same over MQTT and on data channels.</summary>
public static class RefusalCode
{
    public const string Malformed = "malformed";
    public const string RateLimited = "rate-limited";
    public const string Busy = "busy";
    public const string Timeout = "timeout";
    public const string Failed = "failed";

    public static string Of(RefusalKind kind) => kind switch
    {
        RefusalKind.UnknownEntity => "unknown-entity",
        RefusalKind.TakesNoCommands => "takes-no-commands",
        RefusalKind.Malformed => Malformed,
        RefusalKind.Unavailable => "unavailable",
        _ => Failed,
    };
}
