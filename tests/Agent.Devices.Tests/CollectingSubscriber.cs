using Agent.Media;

namespace Agent.Devices.Tests;

/// <summary>Keeps a copy of every access unit, and lets a test wait until there are enough.</summary>
internal sealed class CollectingSubscriber : IAccessUnitSubscriber
{
    private readonly List<Collected> _collected = [];

    public sealed record Collected(byte[] Data, bool IsKeyFrame, TimeSpan CapturedAt, NalUnitType[] NalUnitTypes);

    public void OnAccessUnit(FrameHub hub, AccessUnit accessUnit) => Add(accessUnit);

    public void Add(AccessUnit accessUnit)
    {
        var data = accessUnit.Data.ToArray();
        var types = accessUnit.NalUnits.ToArray().Select(range => NalUnit.TypeOf(data[range][0])).ToArray();
        lock (_collected)
        {
            _collected.Add(new Collected(data, accessUnit.IsKeyFrame, accessUnit.CapturedAt, types));
            Monitor.PulseAll(_collected);
        }
    }

    public IReadOnlyList<Collected> All
    {
        get
        {
            lock (_collected) return [.. _collected];
        }
    }

    public byte[] Stream => [.. All.SelectMany(static unit => unit.Data)];

    /// <summary>Waits until this many have come; fails the test if they do not come within twenty seconds.</summary>
    public IReadOnlyList<Collected> WaitFor(int count) => WaitFor(all => all.Count >= count);

    public IReadOnlyList<Collected> WaitFor(Func<IReadOnlyList<Collected>, bool> enough)
    {
        var deadline = Environment.TickCount64 + 20_000;
        lock (_collected)
        {
            while (!enough(_collected))
            {
                var left = deadline - Environment.TickCount64;
                Assert.True(left > 0 && Monitor.Wait(_collected, (int)left), $"only {_collected.Count} access units came");
            }
            return [.. _collected];
        }
    }
}
