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
        long cell = job->HasCell ? (long)job->Gemm.M * job->Gemm.N / job->Gates * LstmCell.NanosecondsPerUnit : 0, nanoseconds = job->Gemm.EstimateNanoseconds() + cell;
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
        for (int i = 0; i < job->Gates; i++)
        {
            int gate = (job->Gemm.IsBackwards ? job->Gates - 1 - i : i) * panels;
            GemmDriver<TKernel, TLanes, TFloat, TInt>.RunPart(&job->Gemm, gate + first, gate + end, 0, job->Gemm.M);
        }

        if (!job->HasCell)
            return;
        LstmCell cell = job->Cell.Part(first * PackedWeights.PanelColumns, end * PackedWeights.PanelColumns);
        for (nint row = 0; row < job->Gemm.M; row++)
            cell.Row<TLanes, TFloat, TInt>(row);
    }
}
