namespace Agent.Media.Notices;

/// <summary>What a notice says.</summary>
/// <param name="Headline">A word or two in large letters: what is the matter.</param>
/// <param name="Details">Smaller lines below it, the most important first: those that do not fit the picture are left out.</param>
public sealed record NoticeText(string Headline, params IReadOnlyList<string> Details);
