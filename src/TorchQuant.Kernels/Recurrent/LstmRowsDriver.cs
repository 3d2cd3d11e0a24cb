using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>What threads do for <see cref="LstmRows"/>, each for its own rows.</summary>
internal static unsafe class LstmRowsDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>The input's codes: part by part, the steps in the order in which they are run, the rows.</summary>
    public static void Quantize(LstmRows* job, int threads) =>
        WorkerPool.Run(job->Parts, threads, &QuantizePart, job, (long)job->Steps * job->Batch * job->Input.K / DynamicActivations.NumbersPerNanosecond);

    /// <summary>One step, with the input product of the steps of a chunk before its first.</summary>
    public static void Step(LstmRows* job, int threads)
    {
        GemmJob hidden = job->Hidden, input = job->Input;
        hidden.M = job->Batch;
        input.M = job->Done % job->ChunkSteps == 0 ? job->Batch * Math.Min(job->ChunkSteps, job->Steps - job->Done) : 0;
        long cell = (long)job->Batch * job->Hidden.K * GateJob.NanosecondsPerUnit;
        WorkerPool.Run(job->Parts, threads, &StepPart, job, WorkerPool.WithoutExchange(hidden.EstimateNanoseconds() + (input.M > 0 ? input.EstimateNanoseconds() : 0) + cell));
    }

    private static void QuantizePart(void* state, int part)
    {
        var job = (LstmRows*)state;
        int first = job->FirstRow(part), rows = job->FirstRow(part + 1) - first, length = job->Input.K;
        byte* codes = job->Input.A + (nint)first * job->Steps * job->Input.Stride;
        for (int done = 0; done < job->Steps; done++)
        {
            int step = job->Reverse ? job->Steps - 1 - done : done;
            QuantizeRows(job->X + ((nint)step * job->Batch + first) * length, rows, codes + (nint)done * rows * job->Input.Stride, in job->Input);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void StepPart(void* state, int part)
    {
        var job = (LstmRows*)state;
        int first = job->FirstRow(part), rows = job->FirstRow(part + 1) - first, units = job->Hidden.K, inChunk = job->Done % job->ChunkSteps;
        nint columns = job->Hidden.N;
        float* gates = job->Gates + first * job->ChunkSteps * columns;
        if (inChunk == 0)
        {
            GemmJob input = job->Input;
            input.A += ((nint)first * job->Steps + (nint)rows * job->Done) * input.Stride;
            Multiply(&input, rows * Math.Min(job->ChunkSteps, job->Steps - job->Done), gates);
        }

        gates += inChunk * rows * columns;
        float* h = job->H + (nint)first * units;
        GemmJob hidden = job->Hidden;
        hidden.A += first * hidden.Stride;
        QuantizeRows(h, rows, hidden.A, in hidden);
        Multiply(&hidden, rows, gates);
        var cell = new LstmCell(gates, units, h, job->C + (nint)first * units, job->Y + ((nint)job->Step * job->Batch + first) * job->YStride, job->YStride);
        for (nint row = 0; row < rows; row++)
            cell.Row<TLanes, TFloat, TInt>(row);
        float* range = job->Ranges + part * LstmRows.RangeStride;
        (range[0], range[1]) = Elementwise<TLanes, TFloat, TInt>.MinMax(h, (nint)rows * units);
    }

    private static void Multiply(GemmJob* job, int rows, float* output)
    {
        job->M = rows;
        job->Output = output;
        job->SetStreaming(threads: 1);
        GemmDriver<TKernel, TLanes, TFloat, TInt>.RunPart(job, 0, (job->N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns, 0, rows);
    }

    private static void QuantizeRows(float* x, int rows, byte* codes, in GemmJob job)
    {
        for (int row = 0; row < rows; row++)
            Elementwise<TLanes, TFloat, TInt>.QuantizeDynamic(x + (nint)row * job.K, codes + row * job.Stride, job.K, job.Activation);
    }
}
