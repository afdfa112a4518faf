using System.Diagnostics;
using Agent.Rtc.Dtls;

namespace Agent.Transport.Tests.Dtls;

/// <summary>Runs alone: what other tests allocate meanwhile would count.</summary>
[CollectionDefinition(nameof(DtlsMemoryTests), DisableParallelization = true)]
[Collection(nameof(DtlsMemoryTests))]
public sealed class DtlsMemoryTests
{
    [Fact]
    public void Two_thousand_associations_leave_no_memory_behind()
    {
        // One leaked SSL is above 60 KB: 1,000 of them would double the process many times over.
        const long ToleratedGrowth = 16L << 20;
        Cycle(1000);
        var before = ResidentBytes();
        Cycle(1000);
        Assert.InRange(ResidentBytes() - before, long.MinValue, ToleratedGrowth);
    }

    private static void Cycle(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var pair = new DtlsPair();
            pair.Run();
            Assert.Equal(DtlsState.Connected, pair.Client.State);
            if (i % 2 == 0)
                pair.Client.Close();
        }
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
