namespace TorchQuant.Kernels.Generated;

/// <summary>The generated functions for tiles that a residual is added to, void (ByteTiles* tiles), placed in memory when the first is needed.</summary>
internal static unsafe class ResidualTileForms
{
    /// <summary>Deeper products have so little to requantize that reading the weights half as often is worth more.</summary>
    private const int MostPipelinedGroups = 512;

    /// <summary>For one vector of columns and for two; pipelined for few groups of the depth and for more, each simple or not.</summary>
    private const int PipelinedKinds = 4, Kinds = TileLoop.PanelVectors + PipelinedKinds;

    private static readonly nint[]? s_forms = Create();

    /// <summary>Whether the system lets memory be made executable.</summary>
    public static bool AreThere => s_forms is not null;

    /// <summary>The height of tiles that suits so many columns of a panel and a depth in groups of four.</summary>
    public static int MostRows(int columns, nint groups) => IsPipelined(columns, groups) ? PipelinedByteTileCode.MostRows(HasManyGroups(groups), hasResidual: true) : TileLoop.MaxRows;

    /// <summary>The function for tiles of that many rows, up to <see cref="MostRows"/>.</summary>
    public static delegate* unmanaged<ByteTiles*, void> Code(int rows, int columns, nint groups, bool isSimple, bool arePlaced)
    {
        int kind = IsPipelined(columns, groups) ? Pipelined(HasManyGroups(groups), isSimple) : columns <= TileLoop.VectorNumbers ? 0 : 1;
        return (delegate* unmanaged<ByteTiles*, void>)s_forms![Index(rows, kind, arePlaced)];
    }

    private static bool IsPipelined(int columns, nint groups) => columns > TileLoop.VectorNumbers && groups is >= PipelinedByteTileCode.FewGroups and <= MostPipelinedGroups;

    private static bool HasManyGroups(nint groups) => groups >= PipelinedByteTileCode.ManyGroups;

    private static int Pipelined(bool hasManyGroups, bool isSimple) => TileLoop.PanelVectors + (hasManyGroups ? 2 : 0) + (isSimple ? 1 : 0);

    private static int Index(int rows, int kind, bool arePlaced) => ((rows - 1) * Kinds + kind) * 2 + (arePlaced ? 1 : 0);

    private static nint[]? Create()
    {
        var asm = new Assembler();
        nint[] forms = new nint[Index(TileLoop.MaxRows + 1, 0, false)];
        foreach (bool arePlaced in (ReadOnlySpan<bool>)[false, true])
        {
            for (int rows = 1; rows <= TileLoop.MaxRows; rows++)
                Append(asm, rows, arePlaced, forms);
        }

        byte* code = ExecutableMemory.TryPlace(asm.Code);
        if (code == null)
            return null;
        for (int i = 0; i < forms.Length; i++)
            forms[i] += (nint)code;
        return forms;
    }

    private static void Append(Assembler asm, int rows, bool arePlaced, nint[] forms)
    {
        bool isWindows = OperatingSystem.IsWindows();
        for (int vectors = 1; vectors <= TileLoop.PanelVectors; vectors++)
            forms[Index(rows, vectors - 1, arePlaced)] = ByteTileCode.Append(asm, rows, vectors, isWindows, arePlaced, hasResidual: true);
        foreach ((bool hasManyGroups, bool isSimple) in (ReadOnlySpan<(bool, bool)>)[(false, false), (false, true), (true, false), (true, true)])
        {
            if (rows <= PipelinedByteTileCode.MostRows(hasManyGroups, hasResidual: true))
                forms[Index(rows, Pipelined(hasManyGroups, isSimple), arePlaced)] = PipelinedByteTileCode.Append(asm, rows, hasManyGroups, isSimple, isWindows, arePlaced, hasResidual: true);
        }
    }
}
