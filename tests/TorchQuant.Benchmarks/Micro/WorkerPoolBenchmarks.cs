using BenchmarkDotNet.Attributes;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>What sharing work costs: runs of units that do nothing, one right after the other, and of units of 5 us on a machine that is idle and on one whose cores others want.</summary>
public class WorkerPoolBenchmarks
{
    private const long WorthWaking = 1_000_000;
    private const int Units = 16, Multiplications = 5000;

    private Thread[] _others = [];
    private volatile bool _stop;

    [Params(1, 2)]
    public int Threads { get; set; }

    [GlobalSetup(Target = nameof(Contended))]
    public void Contend()
    {
        _stop = false;
        _others = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() =>
        {
            while (!_stop)
                Thread.SpinWait(1000);
        }))];
        Array.ForEach(_others, thread => thread.Start());
    }

    [GlobalCleanup(Target = nameof(Contended))]
    public void Relax()
    {
        _stop = true;
        Array.ForEach(_others, thread => thread.Join());
    }

    [Benchmark]
    public unsafe void Empty() => WorkerPool.Run(Units, Threads, &Nothing, null, WorthWaking);

    [Benchmark]
    public unsafe void Idle() => WorkerPool.Run(Units, Threads, &Work, null, WorthWaking);

    [Benchmark]
    public unsafe void Contended() => WorkerPool.Run(Units, Threads, &Work, null, WorthWaking);

    private static unsafe void Nothing(void* state, int unit)
    {
    }

    /// <summary>A chain of dependent multiplications: its time is the same wherever it runs.</summary>
    private static unsafe void Work(void* state, int unit)
    {
        ulong x = (ulong)unit;
        for (int i = 0; i < Multiplications; i++)
            x = x * 6364136223846793005 + 1442695040888963407;
        Volatile.Write(ref s_kept, x);
    }

    private static ulong s_kept;
}
