namespace TorchQuant.Kernels.Tests;

/// <summary>Counts what a call allocates on the managed heap.</summary>
internal static class Allocations
{
    /// <summary>The least of several calls, in bytes: the first fill the pools, and a collection may empty them in between.</summary>
    public static long Least(Action call)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 20; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
