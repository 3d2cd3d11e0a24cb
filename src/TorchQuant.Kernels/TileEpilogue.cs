namespace TorchQuant.Kernels;

/// <summary>What follows the sums of the tiles of one panel, as a job asks for it: codes by <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/>, or what <see cref="GemmEpilogue{TLanes, TFloat, TInt}"/> gives.</summary>
internal unsafe struct TileEpilogue<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private ByteTerms _terms;
    private int _column, _columns;

    public void Prepare(GemmJob* job, int panel)
    {
        (_column, _columns) = (panel * PackedWeights.PanelColumns, Math.Min(PackedWeights.PanelColumns, job->N - panel * PackedWeights.PanelColumns));
        fixed (ByteTerms* terms = &_terms)
        {
            if (job->Kind == GemmOutput.Byte)
                ByteEpilogue<TLanes, TFloat, TInt>.Prepare(in *job, _column, _columns, terms);
        }
    }

    /// <summary>The sums of some rows, which begin with that row of the output.</summary>
    public void Apply(GemmJob* job, int* tile, int row, int rows)
    {
        fixed (ByteTerms* terms = &_terms)
        {
            if (job->Kind == GemmOutput.Byte)
                ByteEpilogue<TLanes, TFloat, TInt>.Apply(in *job, terms, tile, row, rows, _column, _columns);
            else
                GemmEpilogue<TLanes, TFloat, TInt>.Apply(in *job, tile, row, rows, _column, _columns);
        }
    }
}
