using System.Runtime.CompilerServices;

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

    /// <summary>Results that no cache near the core keeps, if there are more: 8 MB.</summary>
    private const int SpreadResults = 2 * 1024 * 1024;

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
                RunRow(job, &tiles, noBias, firstPanel, fullPanels, firstRow, rows);
            if (firstPanel + fullPanels < endPanel)
                RunLastPanel(job, &tiles, noBias, firstPanel + fullPanels, firstRow, rows);
            return;
        }

        int most = Math.Clamp((int)(BlockBytes / job->Stride) / TKernel.MaxRows, 1, MostTiles) * TKernel.MaxRows, blocks = (rows + most - 1) / most;
        int tilesInBlock = ((rows + TKernel.MaxRows - 1) / TKernel.MaxRows + blocks - 1) / blocks, blockRows = tilesInBlock * TKernel.MaxRows;
        for (int block = firstRow; block < endRow; block += blockRows)
        {
            int count = Math.Min(blockRows, endRow - block);
            for (int panel = firstPanel; panel < firstPanel + fullPanels; panel++)
                RunPanel(job, &tiles, job->Bias == null ? noBias : job->Bias + panel * PackedWeights.PanelColumns, panel, PackedWeights.PanelColumns, block, count);
        }

        if (firstPanel + fullPanels < endPanel)
            RunLastPanel(job, &tiles, noBias, firstPanel + fullPanels, firstRow, rows);
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
    private static void RunRow(GemmJob* job, FloatTiles* tiles, float* noBias, int firstPanel, int panels, int row, int rows)
    {
        SetPlace(job, tiles, firstPanel, row);
        tiles->Biases = job->Bias == null ? noBias : job->Bias + firstPanel * PackedWeights.PanelColumns;
        tiles->BiasStep = job->Bias == null ? 0 : PanelBytes;
        (tiles->SumStep, tiles->ScaleStep, tiles->OutputStep) = (PanelBytes, PanelBytes, PanelBytes);
        RunAlong(job, tiles, panels, rows);
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
        RunAlong(job, &tiles, panels, rows);
    }

    private static void RunAlong(GemmJob* job, FloatTiles* tiles, int panels, int rows)
    {
        tiles->AStep = 0;
        tiles->PanelStep = (nint)job->Groups * PackedWeights.GroupBytes;
        tiles->Count = panels;
        tiles->IsStreaming = job->IsStreaming && rows <= FewRows;
        if (job->IsBackwards)
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

    /// <summary>One panel for some rows: first the tiles that are a row taller, then the others. The first of all brings the weights into the cache.</summary>
    private static void RunPanel(GemmJob* job, FloatTiles* tiles, float* biases, int panel, int columns, int row, int rows)
    {
        int most = TKernel.MaxRows, count = (rows + most - 1) / most, height = rows / count, taller = rows - count * height;
        SetPlace(job, tiles, panel, row);
        tiles->Biases = biases;
        (tiles->BiasStep, tiles->PanelStep, tiles->SumStep, tiles->ScaleStep) = (0, 0, 0, 0);
        int first = job->IsStreaming ? 1 : 0;
        bool isSpread = job->M * job->OutputStride > SpreadResults;
        RunTiles(job, tiles, taller > 0 ? height + 1 : height, columns, first, isStreaming: true);
        RunTiles(job, tiles, height + 1, columns, taller > 0 ? taller - first : 0, isSpread);
        RunTiles(job, tiles, height, columns, taller > 0 ? count - taller : count - first, isSpread);
    }

    private static void RunTiles(GemmJob* job, FloatTiles* tiles, int rows, int columns, int count, bool isStreaming)
    {
        if (count == 0)
            return;
        tiles->AStep = rows * job->Stride;
        tiles->OutputStep = rows * tiles->OutputStride;
        tiles->Count = count;
        tiles->IsStreaming = isStreaming;
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
