namespace TorchQuant.Kernels;

/// <summary>
/// How a multiplication is divided among threads: by rows, by panels of 32 columns, or both. A thread that has rows reads all weights; one that has panels reads all activations, which
/// another core has written half of, and so does whoever reads the results. What is less to read decides: layers of one network with more activations than weights are then divided alike, and each core
/// finds its rows in its own cache.
/// </summary>
internal unsafe struct GemmSplit
{
    /// <summary>Units of work for each thread: enough to even out threads of unequal speed, few enough that claiming them costs nothing.</summary>
    private const int UnitsPerThread = 4;

    /// <summary>Tiles of rows that a unit should have, since each unit reads its panels of weights.</summary>
    private const int LeastTiles = 4;

    public GemmJob* Job;
    public int Panels;
    public int PanelUnits;
    public int RowUnits;

    public readonly int Units => PanelUnits * RowUnits;

    /// <summary>Bytes of weights that one thread reads.</summary>
    public readonly long WeightBytes(int threads) => (long)Panels * Job->Groups * PackedWeights.GroupBytes / (RowUnits >= threads ? 1 : Math.Min(PanelUnits, threads));

    /// <param name="job">What is to be divided.</param>
    /// <param name="tileRows">Rows of the tallest tile.</param>
    /// <param name="threads">How many threads may be used.</param>
    public static GemmSplit Of(GemmJob* job, int tileRows, int threads)
    {
        var split = new GemmSplit { Job = job, Panels = (job->N + PackedWeights.PanelColumns - 1) / PackedWeights.PanelColumns, PanelUnits = 1, RowUnits = 1 };
        if (threads == 1)
            return split;
        int tiles = (job->M + tileRows - 1) / tileRows;
        threads = Math.Min(threads, Environment.ProcessorCount);
        int wanted = threads * UnitsPerThread;
        if (tiles >= threads && IsMoreThanWeights(job))
        {
            split.RowUnits = Math.Clamp(tiles / LeastTiles, threads, wanted);
            split.PanelUnits = Math.Min(split.Panels, (wanted + split.RowUnits - 1) / split.RowUnits);
        }
        else
        {
            split.PanelUnits = Math.Min(split.Panels, wanted);
            split.RowUnits = Math.Min((wanted + split.PanelUnits - 1) / split.PanelUnits, tiles);
        }

        return split;
    }

    /// <summary>The panels and rows of a unit. Units of the same rows follow each other.</summary>
    public readonly void Unit(int unit, out int firstPanel, out int endPanel, out int firstRow, out int endRow)
    {
        (int row, int panel) = Math.DivRem(unit, PanelUnits);
        (firstPanel, endPanel) = (EvenSplit.Part(Panels, panel, PanelUnits), EvenSplit.Part(Panels, panel + 1, PanelUnits));
        (firstRow, endRow) = (EvenSplit.Part(Job->M, row, RowUnits), EvenSplit.Part(Job->M, row + 1, RowUnits));
    }

    private static bool IsMoreThanWeights(GemmJob* job) =>
        (double)job->M * (job->K + (double)job->N * (job->Kind == GemmOutput.Byte ? 1 : sizeof(float))) > (double)job->N * job->K;
}
