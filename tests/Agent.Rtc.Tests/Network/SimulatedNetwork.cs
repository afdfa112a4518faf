namespace Agent.Rtc.Tests.Network;

/// <summary>What happens to each datagram on its way; probabilities from 0 to 1.</summary>
internal sealed record NetworkConditions
{
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Added to the delay, uniformly from zero; datagrams overtake each other by it.</summary>
    public TimeSpan Jitter { get; init; }

    public double Loss { get; init; }

    public double Duplication { get; init; }

    /// <summary>The chance to be held back by <see cref="ReorderDelay"/>.</summary>
    public double Reordering { get; init; }

    public TimeSpan ReorderDelay { get; init; } = TimeSpan.FromMilliseconds(30);
}

/// <summary>
/// A network in virtual time, without NAT unless one is added: every datagram's fate comes from the seed, so a run repeats exactly. Nodes are driven as the
/// media loop drives a session: one input, then drained.
/// </summary>
internal sealed class SimulatedNetwork(int seed, NetworkConditions? conditions = null)
{
    private const int MaximumDatagram = 1500;

    // A node that asks for a timeout in the past again and again would stop virtual time.
    private const int MaximumStepsPerInstant = 10_000;

    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Delivery, (MonotonicTime At, long Sequence)> _inFlight = new();
    private readonly List<SimulatedNode> _nodes = [];
    private readonly List<SimulatedNat> _nats = [];
    private readonly byte[] _buffer = new byte[MaximumDatagram];
    private long _sequence;
    private int _stepsAtInstant;

    /// <summary>The present; starts at one hour, as a machine has been up for a while.</summary>
    public MonotonicTime Now { get; private set; } = MonotonicTime.From(TimeSpan.FromHours(1));

    /// <summary>May change while the network runs.</summary>
    public NetworkConditions Conditions { get; set; } = conditions ?? new NetworkConditions();

    /// <summary>True for a datagram (source, destination, bytes) that a firewall or a broken link swallows.</summary>
    public Func<TransportAddress, TransportAddress, ReadOnlyMemory<byte>, bool>? Blocks { get; set; }

    /// <summary>The narrowest place between two addresses, if there is one: its queue comes before the delay.</summary>
    public Func<TransportAddress, TransportAddress, Bottleneck?>? Bottleneck { get; set; }

    public long Sent { get; private set; }

    public long Delivered { get; private set; }

    public void Add(SimulatedNode node) => _nodes.Add(node);

    public void Add(SimulatedNat nat) => _nats.Add(nat);

    public void Run(TimeSpan duration) => RunUntil(static () => false, duration);

    /// <summary>Runs until the condition holds or the time is over.</summary>
    /// <returns>Whether the condition holds.</returns>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        var end = Now + limit;
        while (true)
        {
            Drain();
            if (condition())
            {
                return true;
            }

            var next = _inFlight.TryPeek(out _, out var first) ? first.At : MonotonicTime.Never;
            foreach (var node in _nodes)
            {
                next = MonotonicTime.Min(next, node.NextTimeout);
            }

            if (next > end)
            {
                Now = end;
                return false;
            }

            AdvanceTo(next);
            DeliverDue();
            foreach (var node in _nodes)
            {
                if (node.NextTimeout <= Now)
                {
                    node.HandleTimeout(Now);
                    Drain(node);
                }
            }
        }
    }

    /// <summary>Puts a datagram on the wire, subject to the conditions.</summary>
    public void Send(ReadOnlySpan<byte> datagram, TransportAddress from, TransportAddress to)
    {
        Sent++;
        var copy = datagram.ToArray();
        if (Blocks?.Invoke(from, to, copy) == true || _random.NextDouble() < Conditions.Loss)
        {
            return;
        }

        foreach (var nat in _nats.Where(nat => nat.IsInside(from) && !nat.IsInside(to)))
        {
            from = nat.TranslateOut(from, to, Now);
        }

        Schedule(copy, from, to);
        if (_random.NextDouble() < Conditions.Duplication)
        {
            Schedule((byte[])copy.Clone(), from, to);
        }
    }

    private void AdvanceTo(MonotonicTime next)
    {
        _stepsAtInstant = next > Now ? 0 : _stepsAtInstant + 1;
        if (_stepsAtInstant > MaximumStepsPerInstant)
        {
            throw new InvalidOperationException($"Virtual time stands still at {Now}: a node's NextTimeout never moves.");
        }

        Now = next > Now ? next : Now;
    }

    private void Schedule(byte[] datagram, TransportAddress from, TransportAddress to)
    {
        var at = Now;
        if (Bottleneck?.Invoke(from, to) is { } bottleneck && !bottleneck.TryPass(datagram.Length, Now, out at))
        {
            return;
        }

        at += Conditions.Delay + (Conditions.Jitter * _random.NextDouble());
        at += _random.NextDouble() < Conditions.Reordering ? Conditions.ReorderDelay : TimeSpan.Zero;
        _inFlight.Enqueue(new Delivery(datagram, from, to), (at, _sequence++));
    }

    private void DeliverDue()
    {
        while (_inFlight.TryPeek(out var delivery, out var due) && due.At <= Now)
        {
            _inFlight.Dequeue();
            var to = TranslateIn(delivery);
            var node = _nodes.Find(n => n.Addresses.Contains(to));
            if (node is not null)
            {
                Delivered++;
                node.HandleDatagram(delivery.Datagram, to, delivery.From, Now);
                Drain(node);
            }
        }
    }

    /// <summary>Where it goes behind a NAT's outside; nowhere if the NAT keeps it out, or if it is for a private address from outside.</summary>
    private TransportAddress TranslateIn(in Delivery delivery)
    {
        foreach (var nat in _nats)
        {
            if (nat.IsOutside(delivery.To))
            {
                return nat.TranslateIn(delivery.To, delivery.From, Now);
            }

            if (nat.IsInside(delivery.To) && !nat.IsInside(delivery.From))
            {
                return default;
            }
        }

        return delivery.To;
    }

    private void Drain() => _nodes.ForEach(Drain);

    private void Drain(SimulatedNode node)
    {
        while (node.TryDequeueTransmit(_buffer, Now, out var transmit))
        {
            var from = transmit.Local.IsNone ? node.Addresses.Find(a => a.IsIPv4 == transmit.Remote.IsIPv4) : transmit.Local;
            Send(_buffer.AsSpan(0, transmit.Length), from, transmit.Remote);
        }
    }

    private readonly record struct Delivery(byte[] Datagram, TransportAddress From, TransportAddress To);
}
