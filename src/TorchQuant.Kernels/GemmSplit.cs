namespace TorchQuant.Kernels;

/// <summary>
/// How a multiplication is divided among threads. Many rows and few weights: by rows, so that each thread writes whole rows of the output; half of a row is less than a line of the cache or leaves one for a
/// second time. Results in float by rows too, with more weights: their activations have just been quantized, row by row on the same threads, and lie in those cores' caches. Otherwise by panels of 32 columns,
/// so that each thread reads its part of the weights, and by rows too where there are few panels.
/// </summary>
internal unsafe struct GemmSplit
{
    /// <summary>Units of work for each thread: enough to even out threads of unequal speed, few enough that claiming them costs nothing.</summary>
    private const int UnitsPerThread = 4;

    /// <summary>Tiles of a unit of rows at least, since each unit reads all weights, and weights at most, a part of the L2 cache.</summary>
    private const int LeastTiles = 4, MostWeightBytes = 512 * 1024;

    /// <summary>The same for results in float, and the units of rows for each thread at least.</summary>
    private const int MostWeightBytesOfFloat = 4 * 1024 * 1024, LeastRowUnitsOfFloat = 2;

    public GemmJob* Job;
    public int Panels;
    public int PanelUnits;
    public int RowUnits;

    public readonly int Units => PanelUnits * RowUnits;

    /// <param name="job">What is to be divided.</param>
    /// <param name="tileRows">Rows of the tallest tile.</param>
    /// <param name="threads">How many threads may be used.</param>
    public static GemmSplit Of(GemmJob* job, int tileRows, int threads)
    {
        int panels = (job->N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns, tiles = (job->M + tileRows - 1) / tileRows;
        int most = Math.Min(threads, Environment.ProcessorCount), wanted = threads == 1 ? 1 : most * UnitsPerThread, rowUnits = Math.Min(wanted, tiles / LeastTiles);
        long weightBytes = (long)panels * job->Groups * PackedWeights.GroupBytes;
        if (job->Kind == GemmOutput.Float ? rowUnits >= most * LeastRowUnitsOfFloat && weightBytes <= MostWeightBytesOfFloat : rowUnits == wanted && weightBytes <= MostWeightBytes)
            return new GemmSplit { Job = job, Panels = panels, PanelUnits = 1, RowUnits = rowUnits };
        int panelUnits = Math.Min(panels, wanted);
        return new GemmSplit { Job = job, Panels = panels, PanelUnits = panelUnits, RowUnits = Math.Min((wanted + panelUnits - 1) / panelUnits, tiles) };
    }

    /// <summary>The panels and rows of a unit. Units of the same rows follow each other.</summary>
    public readonly void Unit(int unit, out int firstPanel, out int endPanel, out int firstRow, out int endRow)
    {
        // Each thread from the end of its weights, which is where it ended the time before.
        if (Job->IsBackwards)
            unit = EvenSplit.Reversed(unit, Units, UnitsPerThread);
        (int row, int panel) = Math.DivRem(unit, PanelUnits);
        (firstPanel, endPanel) = (EvenSplit.Part(Panels, panel, PanelUnits), EvenSplit.Part(Panels, panel + 1, PanelUnits));
        (firstRow, endRow) = (EvenSplit.Part(Job->M, row, RowUnits), EvenSplit.Part(Job->M, row + 1, RowUnits));
    }
}
