namespace Agent.Home.Automations;

/// <summary>What the engine wants done or told about one automation.</summary>
/// <param name="Automation">Its name.</param>
internal abstract record AutomationEffect(string Automation);

/// <summary>A command for an entity; its outcome goes to <see cref="AutomationEngine.Complete"/>.</summary>
internal sealed record CommandEffect(string Automation, string Entity, string Command) : AutomationEffect(Automation);

/// <summary>A message for the broker.</summary>
internal sealed record PublishEffect(string Automation, PublishAction Message) : AutomationEffect(Automation);

/// <summary>It has been set off.</summary>
internal sealed record RunEffect(string Automation, DateTimeOffset At) : AutomationEffect(Automation);

/// <summary>It cannot work, or can again.</summary>
/// <param name="Automation">Its name.</param>
/// <param name="Problem">Beginning with the key; <c>null</c> when it is in service again.</param>
internal sealed record ServiceEffect(string Automation, string? Problem) : AutomationEffect(Automation);

/// <summary>One action has failed; the others are carried out.</summary>
/// <param name="Automation">Its name.</param>
/// <param name="Action">Its key, such as <c>do[1]</c>.</param>
/// <param name="Problem">Why.</param>
internal sealed record FailureEffect(string Automation, string Action, string Problem) : AutomationEffect(Automation);

/// <summary>It is set off too often, and triggers are left out from now on until it has calmed down.</summary>
internal sealed record OverrunEffect(string Automation) : AutomationEffect(Automation);

/// <summary>What an entity is to be taken back to must survive a restart of the agent, or need no longer.</summary>
/// <param name="Automation">Whose action.</param>
/// <param name="Entity">The entity.</param>
/// <param name="Undo">To be read by <see cref="PendingUndo.TryRead"/>; <c>null</c> to forget it.</param>
internal sealed record KeepEffect(string Automation, string Entity, string? Undo) : AutomationEffect(Automation);
