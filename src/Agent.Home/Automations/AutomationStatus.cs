namespace Agent.Home.Automations;

/// <summary>How an automation is doing.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Problem">What keeps it from working, <c>null</c> if nothing does.</param>
/// <param name="Runs">Times it was set off.</param>
/// <param name="Failures">Actions that failed.</param>
/// <param name="LeftOut">Triggers left out because there were too many.</param>
public sealed record AutomationStatus(string Name, string? Problem, long Runs, long Failures, long LeftOut);
