using System.Numerics;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class ThreadPlaceTests
{
    public static bool IsLinux => OperatingSystem.IsLinux();

    [Fact(Skip = "Only Linux lists the cores that a thread may run on.", SkipUnless = nameof(IsLinux))]
    public void A_thread_is_kept_from_one_core_until_it_runs_again()
    {
        var place = new ThreadPlace();
        string id = "";
        using ManualResetEventSlim hasBegun = new(), goesOn = new(), stayed = new(), ends = new();
        var thread = new Thread(() =>
        {
            place.Begin();
            id = File.ReadLines("/proc/thread-self/status").First(line => line.StartsWith("Pid:", StringComparison.Ordinal))[4..].Trim();
            hasBegun.Set();
            goesOn.Wait();
            place.Stay();
            stayed.Set();
            ends.Wait();
        })
        {
            IsBackground = true,
        };
        thread.Start();
        hasBegun.Wait(TestContext.Current.CancellationToken);
        ulong before = Allowed(id);
        int cores = BitOperations.PopCount(before);
        for (int i = 0; i < 3; i++)
            ThreadPlace.KeepApart([place]);
        Assert.Equal(cores > 1 ? cores - 1 : 1, BitOperations.PopCount(Allowed(id)));
        Assert.Equal(0u, Allowed(id) & ~before);
        goesOn.Set();
        stayed.Wait(TestContext.Current.CancellationToken);
        Assert.Equal(before, Allowed(id));
        Assert.False(place.IsCurrent);
        Assert.NotEqual(ThreadPlace.Gone, place.State);
        Assert.Equal(0, Allocations.Least(() => _ = place.State));
        ends.Set();
        thread.Join();
        Assert.True(SpinWait.SpinUntil(() => place.State == ThreadPlace.Gone, TimeSpan.FromSeconds(30)));
        // Nobody is there any more.
        ThreadPlace.KeepApart([place, new ThreadPlace()]);
    }

    /// <summary>The first 64 cores that a thread of this process may run on.</summary>
    private static ulong Allowed(string thread)
    {
        string line = File.ReadLines($"/proc/self/task/{thread}/status").First(line => line.StartsWith("Cpus_allowed:", StringComparison.Ordinal));
        string digits = line[(line.IndexOf(':') + 1)..].Trim().Replace(",", "", StringComparison.Ordinal);
        return Convert.ToUInt64(digits.Length > 16 ? digits[^16..] : digits, 16);
    }
}
