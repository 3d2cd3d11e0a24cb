using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Threads share the hidden units: each multiplies the columns of its units in every gate, then makes their step. So neither gates nor cell states go from one core to another, and a step is one run for all
/// threads instead of two. Every result is computed as <see cref="GemmDriver{TKernel, TLanes, TFloat, TInt}"/> would.
/// </summary>
internal static unsafe class GateDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Two even out threads of unequal speed; each costs a call for every gate.</summary>
    private const int PartsPerThread = 2;

    public static void Run(GateJob* job, int threads)
    {
        long nanoseconds = job->Gemm.EstimateNanoseconds() + (job->Step == GateStep.None ? 0 : (long)job->Gemm.M * job->Gemm.N / job->Gates * GateJob.NanosecondsPerUnit);
        threads = WorkerPool.Worth(threads, nanoseconds);
        job->Parts = threads == 1 ? 1 : Math.Min(job->Panels, threads * PartsPerThread);
        job->Gemm.SetStreaming(threads);
        WorkerPool.Run(job->Parts, threads, &RunPart, job, nanoseconds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPart(void* state, int part)
    {
        var job = (GateJob*)state;
        // Each thread from the end of its weights, which is where it ended the time before.
        if (job->Gemm.IsBackwards)
            part = EvenSplit.Reversed(part, job->Parts, PartsPerThread);
        int panels = job->Panels, first = EvenSplit.Part(panels, part, job->Parts), end = EvenSplit.Part(panels, part + 1, job->Parts);
        // A part of all units is one of all columns.
        int pieces = job->Parts == 1 ? 1 : job->Gates, columns = job->Parts == 1 ? panels * job->Gates : end - first;
        for (int i = 0; i < pieces; i++)
        {
            int begin = (job->Gemm.IsBackwards ? pieces - 1 - i : i) * panels + first;
            GemmDriver<TKernel, TLanes, TFloat, TInt>.RunPart(&job->Gemm, begin, begin + columns, 0, job->Gemm.M);
        }

        int firstUnit = first * PackedWeights.PanelColumns, endUnit = end * PackedWeights.PanelColumns;
        if (job->Step == GateStep.Lstm)
            RunStep(job->Lstm.Part(firstUnit, endUnit), job->Gemm.M);
        else if (job->Step == GateStep.Gru)
            RunStep(job->Gru.Part(firstUnit, endUnit), job->Gemm.M);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunStep<TCell>(TCell cell, nint rows) where TCell : unmanaged, IRowBody
    {
        for (nint row = 0; row < rows; row++)
            cell.Row<TLanes, TFloat, TInt>(row);
    }
}
