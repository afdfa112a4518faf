namespace Agent.Home.Automations;

/// <summary>One thing that an automation does.</summary>
public abstract record AutomationAction;

/// <summary>Sends a command to an entity.</summary>
/// <param name="Entity">Its id.</param>
/// <param name="To">The command.</param>
/// <param name="For">If set, the entity is taken back to its former value after this time.</param>
public sealed record SetAction(string Entity, string To, TimeSpan? For = null) : AutomationAction;

/// <summary>Turns a switch or a lamp on if it is off, and off otherwise.</summary>
public sealed record ToggleAction(string Entity) : AutomationAction;

/// <summary>Presses a button.</summary>
public sealed record PressAction(string Entity) : AutomationAction;

/// <summary>Publishes a message through the broker.</summary>
public sealed record PublishAction(string Topic, string Payload, bool Retain = false) : AutomationAction;

/// <summary>Lets time go by.</summary>
public sealed record WaitAction(TimeSpan Time) : AutomationAction;
