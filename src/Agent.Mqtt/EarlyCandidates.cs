using Agent.Rtc.Sdp;

namespace Agent.Mqtt;

/// <summary>
/// Candidates that came before their offer, which MQTT does not order across topics. Bounded in clients, in candidates of each and in
/// time; what does not fit is dropped.
/// </summary>
internal sealed class EarlyCandidates(TimeProvider time)
{
    public const int MaxClients = 32;
    public const int MaxCandidates = 32;
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Entry> _entries = [];

    private sealed class Entry(long since)
    {
        public long Since { get; } = since;

        public List<(string? Mid, SignaledCandidate Candidate)> Candidates { get; } = [];

        public bool End { get; set; }
    }

    public int Clients => _entries.Count;

    /// <summary>Keeps one candidate, or the end of candidates if it is <c>null</c>; false if there is no room.</summary>
    public bool TryAdd(string client, string? mid, SignaledCandidate? candidate)
    {
        Expire();
        if (!_entries.TryGetValue(client, out var entry))
        {
            if (_entries.Count == MaxClients)
            {
                return false;
            }

            _entries.Add(client, entry = new Entry(time.GetTimestamp()));
        }

        if (candidate is null)
        {
            entry.End = true;
            return true;
        }

        if (entry.Candidates.Count == MaxCandidates)
        {
            return false;
        }

        entry.Candidates.Add((mid, candidate));
        return true;
    }

    /// <summary>Takes what came for a client out; <c>null</c> if nothing did.</summary>
    /// <param name="client">The client.</param>
    /// <param name="acceptedMid">The answered section; candidates of others are left out.</param>
    public TrickleFragment? Take(string client, string? acceptedMid)
    {
        Expire();
        if (!_entries.Remove(client, out var entry))
        {
            return null;
        }

        var candidates = entry.Candidates.Where(pair => pair.Mid is null || acceptedMid is null || pair.Mid == acceptedMid);
        return new TrickleFragment(null, candidates.Select(pair => pair.Candidate).ToArray(), entry.End);
    }

    public void Forget(string client) => _entries.Remove(client);

    private void Expire()
    {
        foreach (var (client, entry) in _entries)
        {
            if (time.GetElapsedTime(entry.Since) > Lifetime)
            {
                _entries.Remove(client);
            }
        }
    }
}
