namespace TorchQuant.Kernels.Generated;

/// <summary>The generated functions for tiles that read an image through a window, void (ByteTiles* tiles), placed in memory when the first is needed.</summary>
internal static unsafe class PlacedTileForms
{
    /// <summary>Products as deep as these have so little to requantize that reading the weights half as often is worth more.</summary>
    private const int MostPipelinedGroups = 512;

    private const int Pipelined = TileLoop.PanelVectors + 1, Kinds = Pipelined + 1;

    private static readonly nint[]? s_forms = Create();

    /// <summary>Whether the system lets memory be made executable.</summary>
    public static bool AreThere => s_forms is not null;

    /// <summary>The height of tiles that suits so many columns of a panel and a depth in groups of four.</summary>
    public static int MostRows(int columns, nint groups) => IsPipelined(columns, groups) ? PipelinedByteTileCode.RowsOfManyGroups : TileLoop.MaxRows;

    /// <summary>The function for tiles of that many rows, up to <see cref="MostRows"/>.</summary>
    public static delegate* unmanaged<ByteTiles*, void> Code(int rows, int columns, nint groups, bool isSimple) =>
        (delegate* unmanaged<ByteTiles*, void>)s_forms![Index(rows, IsPipelined(columns, groups) ? Pipelined + (isSimple ? 1 : 0) : columns <= TileLoop.VectorBytes / sizeof(int) ? 1 : 2)];

    private static bool IsPipelined(int columns, nint groups) =>
        columns > TileLoop.VectorBytes / sizeof(int) && groups is >= PipelinedByteTileCode.ManyGroups and <= MostPipelinedGroups;

    private static int Index(int rows, int kind) => (rows - 1) * Kinds + kind - 1;

    private static nint[]? Create()
    {
        bool isWindows = OperatingSystem.IsWindows();
        var asm = new Assembler();
        nint[] forms = new nint[Index(TileLoop.MaxRows, Kinds) + 1];
        for (int rows = 1; rows <= TileLoop.MaxRows; rows++)
        {
            for (int vectors = 1; vectors <= TileLoop.PanelVectors; vectors++)
                forms[Index(rows, vectors)] = ByteTileCode.Append(asm, rows, vectors, isWindows, arePlaced: true);
            if (rows > PipelinedByteTileCode.RowsOfManyGroups)
                continue;
            foreach (bool isSimple in (ReadOnlySpan<bool>)[false, true])
                forms[Index(rows, Pipelined + (isSimple ? 1 : 0))] = PipelinedByteTileCode.Append(asm, rows, hasManyGroups: true, isSimple, isWindows, arePlaced: true);
        }

        byte* code = ExecutableMemory.TryPlace(asm.Code);
        if (code == null)
            return null;
        for (int i = 0; i < forms.Length; i++)
            forms[i] += (nint)code;
        return forms;
    }
}
