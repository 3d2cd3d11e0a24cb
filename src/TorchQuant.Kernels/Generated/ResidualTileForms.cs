namespace TorchQuant.Kernels.Generated;

/// <summary>The generated functions for tiles that a residual is added to, void (ByteTiles* tiles), placed in memory when the first is needed.</summary>
internal static unsafe class ResidualTileForms
{
    /// <summary>
    /// Deeper products gain nothing: the multiplier units, which the products keep busy, are what adding needs too, and the lower tiles that leave room for it are slower. A loop over codes that are
    /// still in the cache is as fast then.
    /// </summary>
    private const int MostGroups = 32;

    private static readonly nint[]? s_forms = Create();

    /// <summary>Whether there are functions for all panels of so many columns, and a depth in groups of four; and the system lets memory be made executable.</summary>
    public static bool Fit(int columns, nint groups) =>
        groups is >= PipelinedByteTileCode.FewGroups and <= MostGroups && (columns - 1) % PackedWeights.PanelColumns >= TileLoop.VectorNumbers && s_forms is not null;

    /// <summary>The height of tiles that suits a depth in groups of four.</summary>
    public static int MostRows(nint groups) => ResidualForm.Of(groups).MostRows;

    /// <summary>The function for tiles of that many rows, up to <see cref="MostRows"/>.</summary>
    public static nint Code(int rows, nint groups, bool isSimple) => s_forms![Index(rows, ResidualForm.Of(groups), isSimple)];

    private static int Index(int rows, ResidualForm form, bool isSimple) => ((rows - 1) * ResidualForm.All.Length + ResidualForm.All.IndexOf(form)) * 2 + (isSimple ? 1 : 0);

    private static nint[]? Create()
    {
        var asm = new Assembler();
        nint[] forms = new nint[ResidualForm.All[^1].MostRows * ResidualForm.All.Length * 2];
        foreach (ResidualForm form in ResidualForm.All)
        {
            for (int rows = 1; rows <= form.MostRows; rows++)
            {
                foreach (bool isSimple in (ReadOnlySpan<bool>)[false, true])
                    forms[Index(rows, form, isSimple)] = PipelinedByteTileCode.Append(asm, rows, form, isSimple, OperatingSystem.IsWindows());
            }
        }

        byte* code = ExecutableMemory.TryPlace(asm.Code);
        if (code == null)
            return null;
        for (int i = 0; i < forms.Length; i++)
            forms[i] += (nint)code;
        return forms;
    }
}
