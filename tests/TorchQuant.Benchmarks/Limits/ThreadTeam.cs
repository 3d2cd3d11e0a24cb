using System.Diagnostics;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>Threads that start a measured piece of work together.</summary>
internal static class ThreadTeam
{
    /// <summary>Runs the work on that many threads at once.</summary>
    /// <returns>Seconds from the common start to the end of the last.</returns>
    public static double Time(int threads, Action<int> work)
    {
        if (threads == 1)
        {
            long start = Stopwatch.GetTimestamp();
            work(0);
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        int ready = 0;
        long[] starts = new long[threads], ends = new long[threads];
        Thread[] team = [.. Enumerable.Range(0, threads).Select(me => new Thread(() =>
        {
            Interlocked.Increment(ref ready);
            while (Volatile.Read(ref ready) < threads)
                Thread.SpinWait(1);
            starts[me] = Stopwatch.GetTimestamp();
            work(me);
            ends[me] = Stopwatch.GetTimestamp();
        }))];
        foreach (Thread thread in team)
            thread.Start();
        foreach (Thread thread in team)
            thread.Join();
        return Stopwatch.GetElapsedTime(starts.Min(), ends.Max()).TotalSeconds;
    }
}
