using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Goes through the panels in groups of four, which are the units that threads share. One or two rows: each row times four panels at once, bound by reading the weights. More
/// rows: tiles of six rows times one panel. A tile decodes its panel again: two of its fourteen multiplications; a panel converted to float beforehand, twice the bytes,
/// measured no faster at 128 rows and slower at 12.
/// </summary>
internal static unsafe class HalfDriver<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private const int GroupPanels = 4;
    private const int GroupColumns = GroupPanels * HalfPanels.Columns;

    /// <summary>Up to here a row at a time is faster than a tile of which most rows are thrown away.</summary>
    private const int MostSingleRows = 2;

    public static void Run(HalfJob job, int threads)
    {
        int groups = (job.PanelCount + GroupPanels - 1) / GroupPanels;
        WorkerPool.Run(groups, threads, &RunGroup, &job, job.EstimateNanoseconds());
    }

    private static void RunGroup(void* state, int group)
    {
        HalfJob* job = (HalfJob*)state;
        int first = group * GroupPanels, end = Math.Min(first + GroupPanels, job->PanelCount);
        if (job->M <= MostSingleRows)
        {
            RunRows(job, first, end);
            return;
        }

        for (int panel = first; panel < end; panel++)
            RunTiles(job, panel);
    }

    private static uint* Panel(HalfJob* job, int panel) => job->Panels + panel * job->K * HalfPanels.Pairs;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRows(HalfJob* job, int first, int end)
    {
        float* sums = stackalloc float[GroupColumns];
        int column = first * HalfPanels.Columns;
        for (int row = 0; row < job->M; row++)
        {
            // Where fewer than four panels are left the last is taken again: its sums land beyond the columns that are kept.
            for (nint pair = 0; pair < HalfPanels.Pairs; pair += TLanes.Count)
                HalfTile<TLanes, TFloat, TInt>.FourPanels(job->X + row * job->K, job->K, Panel(job, first), Panel(job, Math.Min(first + 1, end - 1)), Panel(job, Math.Min(first + 2, end - 1)), Panel(job, end - 1), pair, sums);
            Finish(job, sums, row, column, Math.Min(end * HalfPanels.Columns, job->N) - column);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunTiles(HalfJob* job, int panel)
    {
        float* sums = stackalloc float[HalfTile.Rows * HalfPanels.Columns];
        int column = panel * HalfPanels.Columns, columns = Math.Min(HalfPanels.Columns, job->N - column);
        // Tiles of nearly equal height.
        int tiles = (job->M + HalfTile.Rows - 1) / HalfTile.Rows;
        for (int tile = 0; tile < tiles; tile++)
        {
            int row = (int)((long)job->M * tile / tiles), rows = (int)((long)job->M * (tile + 1) / tiles) - row;
            for (nint pair = 0; pair < HalfPanels.Pairs; pair += TLanes.Count)
                HalfTile<TLanes, TFloat, TInt>.SixRows(job->X + row * job->K, rows, job->K, Panel(job, panel), pair, sums);
            for (int r = 0; r < rows; r++)
                Finish(job, sums + r * HalfPanels.Columns, row + r, column, columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Finish(HalfJob* job, float* sums, int row, int column, int columns)
    {
        float* bias = job->Bias == null ? null : job->Bias + column;
        new LaneLoop<Epilogue>(new Epilogue(sums, bias, job->Output + (nint)row * job->N + column, job->Relu, job->Accumulate), columns).Run<TLanes, TFloat, TInt>();
    }

    /// <summary>output = sum + bias, or output + that; then not below 0 if asked for.</summary>
    private readonly struct Epilogue(float* sums, float* bias, float* output, bool relu, bool accumulate) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TAny, TAnyFloat, TAnyInt>(nint i) where TAny : struct, ILanes<TAnyFloat, TAnyInt>
        {
            TAnyFloat y = TAny.Load(sums + i);
            if (bias != null)
                y = TAny.Add(y, TAny.Load(bias + i));
            if (accumulate)
                y = TAny.Add(TAny.Load(output + i), y);
            if (relu)
                y = TAny.Relu(y);
            TAny.Store(y, output + i);
        }
    }
}
