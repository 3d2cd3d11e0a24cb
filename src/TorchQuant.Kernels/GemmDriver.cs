using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The only driver. Order: a block of rows that fits the L2 cache, in it one panel of 32 columns after the other, for each panel the tiles of rows:
/// the panel stays in L1 while the rows pass, K is never split, and a tile goes through the epilogue while it is in L1. Threads share the panels, and the rows
/// where there are few panels; every result is computed by one thread in one order, so their number changes no bit.
/// </summary>
internal static unsafe class GemmDriver<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Activations of a block of rows: a part of the 1 MB L2 cache that leaves room for panels and outputs.</summary>
    private const int BlockBytes = 256 * 1024;

    private const int TileAlignment = 64;

    /// <summary>Units of work for each thread: enough to even out threads of unequal speed, few enough that claiming them costs nothing.</summary>
    private const int UnitsPerThread = 4;

    public static void Run(GemmJob* job, int threads)
    {
        int panels = (job->N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns;
        if (threads == 1)
        {
            RunPart(job, 0, panels, 0, job->M);
            return;
        }

        int wanted = Math.Min(threads, Environment.ProcessorCount) * UnitsPerThread;
        int panelUnits = Math.Min(panels, wanted);
        int rowUnits = Math.Min((wanted + panelUnits - 1) / panelUnits, (job->M + TKernel.MaxRows - 1) / TKernel.MaxRows);
        var split = new Split { Job = job, Panels = panels, PanelUnits = panelUnits, RowUnits = rowUnits };
        WorkerPool.Run(panelUnits * rowUnits, threads, &RunUnit, &split, EstimateNanoseconds(job));
    }

    /// <summary>What one core needs, roughly: 200 multiply-adds or 100 bytes of weights a nanosecond, whichever takes longer.</summary>
    private static long EstimateNanoseconds(GemmJob* job)
    {
        long weights = (long)job->N * job->Groups * PackedWeights.GroupDepth;
        return Math.Max(weights * job->M / 200, weights / 100);
    }

    private static void RunUnit(void* state, int unit)
    {
        var split = (Split*)state;
        (int rowUnit, int panelUnit) = Math.DivRem(unit, split->PanelUnits);
        GemmJob* job = split->Job;
        RunPart(job, EvenSplit.Part(split->Panels, panelUnit, split->PanelUnits), EvenSplit.Part(split->Panels, panelUnit + 1, split->PanelUnits),
            EvenSplit.Part(job->M, rowUnit, split->RowUnits), EvenSplit.Part(job->M, rowUnit + 1, split->RowUnits));
    }

    /// <summary>Some panels for some rows, on this thread.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPart(GemmJob* job, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        byte* memory = stackalloc byte[TKernel.MaxRows * PackedWeights.PanelColumns * sizeof(int) + TileAlignment];
        int* tile = (int*)(((nuint)memory + (TileAlignment - 1)) & ~(nuint)(TileAlignment - 1));
        int blockRows = Math.Max(TKernel.MaxRows, (int)(BlockBytes / job->Stride) / TKernel.MaxRows * TKernel.MaxRows);
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int rows = Math.Min(blockRows, endRow - block);
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanel(job, panel, block, rows, tile);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanel(GemmJob* job, int panel, int block, int rows, int* tile)
    {
        sbyte* weights = job->Panels + (long)panel * job->Groups * PackedWeights.GroupBytes;
        int column = panel * PackedWeights.PanelColumns;
        int columns = Math.Min(PackedWeights.PanelColumns, job->N - column);
        ByteTerms terms;
        if (job->Kind == GemmOutput.Byte)
            ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in *job, column, columns, &terms);
        // Tiles of nearly equal height: 7 rows are 4 + 3, not 6 + 1, since a lone row costs as much as several.
        int tiles = (rows + TKernel.MaxRows - 1) / TKernel.MaxRows;
        for (int t = 0; t < tiles; t++)
        {
            int first = block + EvenSplit.Part(rows, t, tiles), end = block + EvenSplit.Part(rows, t + 1, tiles);
            TKernel.Run(end - first, job->A + first * job->Stride, job->Stride, weights, job->Groups, tile);
            if (job->Kind == GemmOutput.Byte)
                ByteEpilogue<TLanes, TFloat, TInt>.Apply(in *job, &terms, tile, first, end - first, column, columns);
            else
                GemmEpilogue<TLanes, TFloat, TInt>.Apply(in *job, tile, first, end - first, column, columns);
        }
    }

    private struct Split
    {
        public GemmJob* Job;
        public int Panels;
        public int PanelUnits;
        public int RowUnits;
    }
}
