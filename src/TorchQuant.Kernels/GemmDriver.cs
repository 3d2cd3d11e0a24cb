using System.Buffers;
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

    /// <summary>Codes of a block that a residual is added to.</summary>
    private const int ResidualBytes = 128 * 1024;

    /// <summary>Panels whose terms need no memory from the pool.</summary>
    private const int PanelsOnStack = 8;

    /// <summary>Activations and outputs of a block of rows, all panels of it: most of the L1 cache; and the fewest tiles, since every block reads all weights.</summary>
    private const int BytesInL1 = 32 * 1024, LeastTiles = 4;

    /// <summary>Where weights come from far away, blocks are higher, as far as their activations fit a part of the L2 cache; and so high at least, and at most, since rows some pages long share its sets.</summary>
    private const int StreamingBlockBytes = 256 * 1024, LeastTilesOfStreaming = 8, MostTilesOfStreaming = 16;

    /// <summary>Where a residual is added in registers: the groups of the depth to multiply while another tile's is fetched, and rows of a block. Measured: a block of 56 rows took 1.3 times as long.</summary>
    private const int FetchedAhead = 64, RowsWithResidual = 384;

    /// <summary>Codes of a sum at most for which a residual is added in registers. More come from memory, which a loop over whole rows reads in order.</summary>
    private const long MostCodesInRegisters = 2 * 1024 * 1024;

    /// <summary>Between rows that lie next to each other.</summary>
    private const int MostPadding = 64;

    public static void Run(GemmJob* job, int threads)
    {
        long nanoseconds = job->EstimateNanoseconds();
        threads = WorkerPool.Worth(threads, nanoseconds);
        GemmSplit split = GemmSplit.Of(job, TKernel.MaxRows, threads);
        job->SetStreaming(threads);
        if (threads == 1)
            RunPart(job, 0, split.Panels, 0, job->M);
        else
            WorkerPool.Run(split.Units, threads, &RunUnit, &split, nanoseconds);
    }

    private static void RunUnit(void* state, int unit)
    {
        var split = (GemmSplit*)state;
        split->Unit(unit, out int firstPanel, out int endPanel, out int firstRow, out int endRow);
        RunPart(split->Job, firstPanel, endPanel, firstRow, endRow);
    }

    /// <summary>Some panels for some rows, on this thread.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPart(GemmJob* job, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        if (FewRowsToBytes<TKernel, TLanes, TFloat, TInt>.Fits(job, endRow - firstRow))
        {
            FewRowsToBytes<TKernel, TLanes, TFloat, TInt>.RunPart(job, firstPanel, endPanel, firstRow, endRow);
            return;
        }

        if (TKernel.RequantizesItself && job->Kind == GemmOutput.Byte && job->Fused != FusedActivation.Hardswish && job->RowSums == null
            && TryRunPartToBytes(job, firstPanel, endPanel, firstRow, endRow))
            return;
        if (FloatDriver<TKernel>.Fits(job))
        {
            FloatDriver<TKernel>.RunPart(job, firstPanel, endPanel, firstRow, endRow);
            return;
        }

        bool hasSevenBits = TKernel.IsFasterWithSevenBits && SevenBits.HoldAll(job->A + firstRow * job->Stride, job->Stride, endRow - firstRow, job->Groups * PackedWeights.GroupDepth);
        byte* memory = stackalloc byte[TKernel.MaxRows * PackedWeights.PanelColumns * sizeof(int) + CacheLine.Bytes];
        int* tile = (int*)CacheLine.Align(memory);
        // A residual is added block by block, while the codes are in the cache: packed integers take a fraction of what the epilogue would.
        GemmJob plain = *job;
        plain.SubtractFromActivations(TKernel.ActivationOffset);
        plain.Residual = default;
        ResidualSum residual = job->Residual;
        job = &plain;
        int firstColumn = firstPanel * PackedWeights.PanelColumns, columns = Math.Min(job->N, endPanel * PackedWeights.PanelColumns) - firstColumn;
        int mostRows = (int)(residual.IsSet ? nint.Min(BlockBytes / job->Stride, ResidualBytes / columns) : BlockBytes / job->Stride);
        int blockRows = Math.Max(TKernel.MaxRows, mostRows / TKernel.MaxRows * TKernel.MaxRows);
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int rows = Math.Min(blockRows, endRow - block);
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanel(job, panel, block, rows, hasSevenBits, tile);
            if (residual.IsSet)
                ResidualLanes<TLanes, TFloat, TInt>.AddTo((byte*)job->Output + block * job->OutputStride + firstColumn, job->OutputStride, rows, columns, in residual);
        }
    }

    /// <summary>The same by a kernel that requantizes itself. The terms of all panels are prepared once, so blocks can be as small as the L1 cache asks for.</summary>
    /// <returns>False if some terms are not bounded: nothing is done then.</returns>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool TryRunPartToBytes(GemmJob* job, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        int panels = endPanel - firstPanel;
        byte* few = stackalloc byte[PanelsOnStack * sizeof(ByteTerms) + CacheLine.Bytes];
        byte[]? rented = panels > PanelsOnStack ? ArrayPool<byte>.Shared.Rent(panels * sizeof(ByteTerms) + CacheLine.Bytes) : null;
        bool isBounded = true;
        fixed (byte* many = rented)
        {
            var terms = (ByteTerms*)CacheLine.Align(rented is null ? few : many);
            for (int panel = 0; panel < panels; panel++)
            {
                ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in *job, (firstPanel + panel) * PackedWeights.PanelColumns, Columns(job, firstPanel + panel), terms + panel);
                isBounded &= terms[panel].IsBounded;
            }

            if (isBounded)
                RunBlocksToBytes(job, terms, firstPanel, endPanel, firstRow, endRow);
        }

        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return isBounded;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBlocksToBytes(GemmJob* job, ByteTerms* terms, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        nint tileBytes = job->Stride * TKernel.MaxRows;
        int least = job->IsStreaming ? (int)nint.Clamp(StreamingBlockBytes / tileBytes, LeastTilesOfStreaming, MostTilesOfStreaming) : LeastTiles;
        int tilesInBlock = (int)nint.Max(least, BytesInL1 / (tileBytes + (nint)(endPanel - firstPanel) * PackedWeights.PanelColumns * TKernel.MaxRows)), blockRows = tilesInBlock * TKernel.MaxRows;
        byte* memory = stackalloc byte[sizeof(ByteTiles) + CacheLine.Bytes];
        var work = (ByteTiles*)CacheLine.Align(memory);
        work->Set(in *job);
        if (job->Residual is { IsSet: true, Factors.IsBounded: true } && (long)job->M * job->N <= MostCodesInRegisters && TKernel.AddsResidual(job->N, job->Groups))
        {
            work->AddResidual(in *job);
            (tilesInBlock, blockRows) = (RowsWithResidual / TKernel.RowsWithResidual(job->Groups), RowsWithResidual);
        }

        int firstColumn = firstPanel * PackedWeights.PanelColumns, columns = Math.Min(job->N, endPanel * PackedWeights.PanelColumns) - firstColumn;
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int rows = Math.Min(blockRows, endRow - block);
            NextBlock next = Next(job, block + rows, Math.Min(blockRows, endRow - block - rows), tilesInBlock, endPanel - firstPanel);
            for (int panel = firstPanel; panel < endPanel; panel++)
                RunPanelToBytes(job, work, terms + (panel - firstPanel), panel, block, rows, next.Memory(endPanel - 1 - panel));
            if (job->Residual.IsSet && !work->HasResidual)
                ResidualLanes<TLanes, TFloat, TInt>.AddTo((byte*)job->Output + block * job->OutputStride + firstColumn, job->OutputStride, rows, columns, in job->Residual);
        }
    }

    /// <summary>What a block of rows reads, unless its rows lie far apart, and what it writes, if it writes all columns.</summary>
    private static NextBlock Next(GemmJob* job, int row, int rows, nint tilesBefore, int panels)
    {
        nint inputBytes = job->Stride <= job->K + MostPadding ? rows * job->Stride : 0, outputBytes = panels * PackedWeights.PanelColumns >= job->N ? rows * job->OutputStride : 0;
        return new NextBlock(job->A + row * job->Stride, inputBytes, (byte*)job->Output + row * job->OutputStride, outputBytes, tilesBefore * job->Groups);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanel(GemmJob* job, int panel, int block, int rows, bool hasSevenBits, int* tile)
    {
        sbyte* weights = Weights(job, panel);
        int column = panel * PackedWeights.PanelColumns;
        int columns = Columns(job, panel);
        ByteTerms terms;
        if (job->Kind == GemmOutput.Byte)
            ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in *job, column, columns, &terms);
        // Tiles of nearly equal height: 7 rows are 4 + 3, not 6 + 1, since a lone row costs as much as several.
        int tiles = (rows + TKernel.MaxRows - 1) / TKernel.MaxRows;
        for (int t = 0; t < tiles; t++)
        {
            int first = block + EvenSplit.Part(rows, t, tiles), end = block + EvenSplit.Part(rows, t + 1, tiles);
            if (hasSevenBits)
                TKernel.RunSevenBits(end - first, job->A + first * job->Stride, job->Stride, weights, job->Groups, tile);
            else
                TKernel.Run(end - first, job->A + first * job->Stride, job->Stride, weights, job->Groups, tile);
            if (job->Kind == GemmOutput.Byte)
                ByteEpilogue<TLanes, TFloat, TInt>.Apply(in *job, &terms, tile, first, end - first, column, columns);
            else
                GemmEpilogue<TLanes, TFloat, TInt>.Apply(in *job, tile, first, end - first, column, columns);
        }
    }

    /// <summary>One panel for the rows of a block, by a kernel that requantizes itself: first the tiles that are a row taller, then the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunPanelToBytes(GemmJob* job, ByteTiles* work, ByteTerms* terms, int panel, int block, int rows, byte* ahead)
    {
        int columns = Columns(job, panel), most = work->HasResidual ? TKernel.RowsWithResidual(job->Groups) : TKernel.RowsToBytes(columns, job->Groups);
        int tiles = (rows + most - 1) / most, height = rows / tiles, taller = rows - tiles * height;
        work->Terms = terms;
        work->Panel = Weights(job, panel);
        work->Fetch(ahead, tiles, job->IsStreaming);
        work->A = job->A + block * job->Stride;
        work->Output = (byte*)job->Output + block * job->OutputStride + panel * PackedWeights.PanelColumns;
        RunTilesToBytes(job, work, height + 1, columns, taller);
        RunTilesToBytes(job, work, height, columns, tiles - taller);
    }

    private static void RunTilesToBytes(GemmJob* job, ByteTiles* work, int rows, int columns, int count)
    {
        if (count == 0)
            return;
        work->Count = count;
        work->Step = rows * job->Stride;
        work->AddedAhead = (FetchedAhead / job->Groups + 1) * rows * job->OutputStride;
        TKernel.RunToBytes(rows, columns, work);
    }

    private static sbyte* Weights(GemmJob* job, int panel) => job->Panels + (long)panel * job->Groups * PackedWeights.GroupBytes;

    private static int Columns(GemmJob* job, int panel) => Math.Min(PackedWeights.PanelColumns, job->N - panel * PackedWeights.PanelColumns);
}
