using System.Runtime.CompilerServices;
using TorchQuant.Kernels.Generated;

namespace TorchQuant.Kernels;

/// <summary>Products with float results by a kernel that finishes its tiles itself, in the order of <see cref="GemmDriver{TKernel, TLanes, TFloat, TInt}"/>.</summary>
internal static unsafe class FloatDriver<TKernel>
    where TKernel : struct, IMicroKernel
{
    private const uint NegativeZero = 0x80000000;

    /// <summary>Activations of a block of rows: a part of the 1 MB L2 cache that leaves room for panels and outputs.</summary>
    private const int BlockBytes = 512 * 1024;

    /// <summary>Tiles of a block at most: results of as many rows as share a set of the cache where rows are some pages long, at the price of reading the weights more often.</summary>
    private const int MostTiles = 8;

    /// <summary>The most rows for which reading the weights takes longer than the products.</summary>
    public const int FewRows = 4;

    /// <summary>With fewer rows the processor is ahead of the products by itself.</summary>
    private const int LeastRowsOfStreaming = 3;

    /// <summary>
    /// Results that no cache near the core keeps, if there are as many: 1 MB. And 4 MB, where rows of results are written in pieces, or 16 MB, where they are written from end to end: then going
    /// to memory saves more than it costs to read them from there.
    /// </summary>
    private const int SpreadResults = 256 * 1024, PastResults = 1024 * 1024, PastResultsAlong = 4 * 1024 * 1024;

    /// <summary>A tile's activations, if the L1 cache keeps them beside what else passes through it; a block of them and the weights of some panels, that together fit the L2 cache.</summary>
    private const int TileBytesInL1 = 16 * 1024, AlongBlockBytes = 256 * 1024, AlongWeightBytes = 512 * 1024;

    private const int PanelBytes = PackedWeights.PanelColumns * sizeof(float);

    /// <summary>Whether the kernel can do the job. -0 and ReLU: as in arithmetic, max(-0, 0) is +0, but not in the instruction; only a bias can be -0.</summary>
    public static bool Fits(GemmJob* job) =>
        TKernel.GivesFloatsItself && job->Kind == GemmOutput.Float && job->RowSums == null
        && (!job->Relu || job->Bias == null || !new ReadOnlySpan<uint>(job->Bias, job->N).Contains(NegativeZero));

    /// <summary>Some panels for some rows, on this thread.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPart(GemmJob* job, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        float* noBias = stackalloc float[PackedWeights.PanelColumns];
        new Span<float>(noBias, PackedWeights.PanelColumns).Fill(job->Relu ? 0f : -0f);
        FloatTiles tiles;
        Set(&tiles, job);
        // Those with all columns; at most one is left.
        int fullPanels = Math.Min(endPanel, job->N / PackedWeights.PanelColumns) - firstPanel, rows = endRow - firstRow;
        if (rows <= TKernel.MaxRows)
        {
            if (fullPanels > 0)
                RunRow(job, &tiles, noBias, firstPanel, fullPanels, firstRow, rows, FormOfFew(job, rows));
            if (firstPanel + fullPanels < endPanel)
                RunLastPanel(job, &tiles, noBias, firstPanel + fullPanels, firstRow, rows);
            return;
        }

        if (job->Stride * TKernel.MaxRows <= TileBytesInL1)
            RunBlocksAlong(job, &tiles, noBias, firstPanel, fullPanels, firstRow, endRow);
        else
            RunBlocksDown(job, &tiles, noBias, firstPanel, fullPanels, firstRow, endRow);
        // What was written past the cache is there before others are told that it is.
        Interlocked.MemoryBarrier();
        if (firstPanel + fullPanels < endPanel)
            RunLastPanel(job, &tiles, noBias, firstPanel + fullPanels, firstRow, rows);
    }

    /// <summary>Panels outside, tiles of rows inside: activations and weights of a tile do not fit the L1 cache together, so the weights of one panel stay near it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBlocksDown(GemmJob* job, FloatTiles* tiles, float* noBias, int firstPanel, int panels, int firstRow, int endRow)
    {
        int blockRows = BlockRows(endRow - firstRow, Math.Clamp((int)(BlockBytes / job->Stride) / TKernel.MaxRows, 1, MostTiles));
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int rows = Math.Min(blockRows, endRow - block);
            for (int panel = firstPanel; panel < firstPanel + panels; panel++)
                RunPanel(job, tiles, job->Bias == null ? noBias : job->Bias + panel * PackedWeights.PanelColumns, panel, PackedWeights.PanelColumns, block, rows);
        }
    }

    /// <summary>
    /// Tiles of rows outside, panels inside: the activations of a tile stay in the L1 cache, the weights of the panels in L2, and rows of results are written from end to end, which memory and
    /// the tables of pages take faster than pieces of two cache lines.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBlocksAlong(GemmJob* job, FloatTiles* tiles, float* noBias, int firstPanel, int panels, int firstRow, int endRow)
    {
        int blockRows = BlockRows(endRow - firstRow, (int)(AlongBlockBytes / job->Stride) / TKernel.MaxRows);
        FloatTileForm form = CanGoPast(job, PastResultsAlong) ? FloatTileForm.AheadPast : FloatTileForm.Whole;
        int mostPanels = Math.Max((int)(AlongWeightBytes / ((nint)job->Groups * PackedWeights.GroupBytes)), 1), parts = (panels + mostPanels - 1) / mostPanels;
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int rows = Math.Min(blockRows, endRow - block), count = (rows + TKernel.MaxRows - 1) / TKernel.MaxRows;
            for (int part = 0; part < parts; part++)
            {
                int first = EvenSplit.Part(panels, part, parts), end = EvenSplit.Part(panels, part + 1, parts);
                for (int t = 0; t < count; t++)
                {
                    int row = EvenSplit.Part(rows, t, count);
                    RunRow(job, tiles, noBias, firstPanel + first, end - first, block + row, EvenSplit.Part(rows, t + 1, count) - row, form);
                }
            }
        }
    }

    /// <summary>Whole tiles of rows, so many at most, in blocks of nearly equal height.</summary>
    private static int BlockRows(int rows, int mostTiles)
    {
        int tiles = (rows + TKernel.MaxRows - 1) / TKernel.MaxRows, blocks = (tiles + mostTiles - 1) / mostTiles;
        return (tiles + blocks - 1) / blocks * TKernel.MaxRows;
    }

    private static void Set(FloatTiles* tiles, GemmJob* job)
    {
        tiles->Stride = job->Stride;
        tiles->Groups = job->Groups;
        tiles->OutputStride = job->OutputStride * sizeof(float);
        tiles->Accumulate = job->Accumulate ? 1 : 0;
        tiles->Scale = job->Activation.Scale;
        tiles->NegatedZeroPoint = -job->Activation.ZeroPoint;
        tiles->Floor = job->Relu ? 0 : float.NegativeInfinity;
    }

    /// <summary>One tile of rows in successive panels, which lie one after the other.</summary>
    private static void RunRow(GemmJob* job, FloatTiles* tiles, float* noBias, int firstPanel, int panels, int row, int rows, FloatTileForm form)
    {
        SetPlace(job, tiles, firstPanel, row);
        tiles->Biases = job->Bias == null ? noBias : job->Bias + firstPanel * PackedWeights.PanelColumns;
        tiles->BiasStep = job->Bias == null ? 0 : PanelBytes;
        (tiles->SumStep, tiles->ScaleStep, tiles->OutputStep) = (PanelBytes, PanelBytes, PanelBytes);
        RunAlong(job, tiles, panels, rows, form);
    }

    /// <summary>The sums of a few rows as floats, corrected for the activations' zero point; for all columns of the panels, [rows, 32 * panels].</summary>
    public static void Sum(GemmJob* job, int firstPanel, int panels, int row, int rows, float* sums)
    {
        float* constants = stackalloc float[2 * PackedWeights.PanelColumns], ones = constants, noBias = constants + PackedWeights.PanelColumns;
        new Span<float>(ones, PackedWeights.PanelColumns).Fill(1);
        new Span<float>(noBias, PackedWeights.PanelColumns).Fill(-0f);
        FloatTiles tiles;
        Set(&tiles, job);
        SetPlace(job, &tiles, firstPanel, row);
        tiles.ColumnScales = ones;
        tiles.Biases = noBias;
        tiles.Output = sums;
        (tiles.Scale, tiles.ScaleStep, tiles.BiasStep, tiles.OutputStride) = (1, 0, 0, (nint)panels * PanelBytes);
        (tiles.SumStep, tiles.OutputStep) = (PanelBytes, PanelBytes);
        RunAlong(job, &tiles, panels, rows, FormOfFew(job, rows));
    }

    private static FloatTileForm FormOfFew(GemmJob* job, int rows) => job->IsStreaming && rows >= LeastRowsOfStreaming ? FloatTileForm.Streamed : FloatTileForm.Whole;

    private static void RunAlong(GemmJob* job, FloatTiles* tiles, int panels, int rows, FloatTileForm form)
    {
        tiles->AStep = 0;
        tiles->PanelStep = (nint)job->Groups * PackedWeights.GroupBytes;
        tiles->Count = panels;
        (tiles->Ahead, tiles->LaterAhead) = (tiles->PanelStep, tiles->PanelStep);
        tiles->Form = form;
        if (job->IsBackwards && job->M <= TKernel.MaxRows)
            Reverse(tiles);
        TKernel.RunToFloats(rows, PackedWeights.PanelColumns, tiles);
    }

    /// <summary>From the last tile to the first.</summary>
    private static void Reverse(FloatTiles* tiles)
    {
        nint last = tiles->Count - 1;
        tiles->Biases = (float*)((byte*)tiles->Biases + last * tiles->BiasStep);
        tiles->Panel += last * tiles->PanelStep;
        tiles->Output = (float*)((byte*)tiles->Output + last * tiles->OutputStep);
        tiles->ColumnSums = (int*)((byte*)tiles->ColumnSums + last * tiles->SumStep);
        tiles->ColumnScales = (float*)((byte*)tiles->ColumnScales + last * tiles->ScaleStep);
        (tiles->BiasStep, tiles->PanelStep, tiles->OutputStep, tiles->SumStep, tiles->ScaleStep) = (-tiles->BiasStep, -tiles->PanelStep, -tiles->OutputStep, -tiles->SumStep, -tiles->ScaleStep);
    }

    /// <summary>One panel for some rows: first the tiles that are a row taller, then the others. The first two fetch the next panel.</summary>
    private static void RunPanel(GemmJob* job, FloatTiles* tiles, float* biases, int panel, int columns, int row, int rows)
    {
        int most = TKernel.MaxRows, count = (rows + most - 1) / most, height = rows / count, taller = rows - count * height;
        SetPlace(job, tiles, panel, row);
        tiles->Biases = biases;
        (tiles->BiasStep, tiles->PanelStep, tiles->SumStep, tiles->ScaleStep) = (0, 0, 0, 0);
        tiles->Ahead = (nint)job->Groups * PackedWeights.GroupBytes;
        tiles->LaterAhead = tiles->Ahead + (nint)job->Groups * CacheLine.Bytes;
        FloatTileForm form = job->M * job->OutputStride < SpreadResults ? FloatTileForm.Ahead : CanGoPast(job, PastResults) ? FloatTileForm.AheadPast : FloatTileForm.AheadSpread;
        RunTiles(job, tiles, height + 1, columns, taller, form);
        RunTiles(job, tiles, height, columns, count - taller, form);
    }

    /// <summary>Whether results are so many that they may be written past the cache, in whole cache lines.</summary>
    private static bool CanGoPast(GemmJob* job, int results) =>
        job->M * job->OutputStride >= results && (((nint)job->Output | (job->OutputStride * sizeof(float))) & (CacheLine.Bytes - 1)) == 0;

    private static void RunTiles(GemmJob* job, FloatTiles* tiles, int rows, int columns, int count, FloatTileForm form)
    {
        if (count == 0)
            return;
        tiles->AStep = rows * job->Stride;
        tiles->OutputStep = rows * tiles->OutputStride;
        tiles->Count = count;
        tiles->Form = form;
        TKernel.RunToFloats(rows, columns, tiles);
    }

    /// <summary>The panel that is not full: its biases must not be read beyond their end.</summary>
    private static void RunLastPanel(GemmJob* job, FloatTiles* tiles, float* noBias, int panel, int row, int rows)
    {
        float* biases = stackalloc float[PackedWeights.PanelColumns];
        int column = panel * PackedWeights.PanelColumns, columns = job->N - column;
        if (job->Bias != null)
            new ReadOnlySpan<float>(job->Bias + column, columns).CopyTo(new Span<float>(biases, columns));
        RunPanel(job, tiles, job->Bias == null ? noBias : biases, panel, columns, row, rows);
    }

    private static void SetPlace(GemmJob* job, FloatTiles* tiles, int panel, int row)
    {
        int column = panel * PackedWeights.PanelColumns;
        tiles->A = job->A + row * job->Stride;
        tiles->Panel = job->Panels + (nint)panel * job->Groups * PackedWeights.GroupBytes;
        tiles->Output = (float*)job->Output + row * job->OutputStride + column;
        tiles->ColumnSums = job->ColumnSums + column;
        tiles->ColumnScales = job->ColumnScales + column;
    }
}
