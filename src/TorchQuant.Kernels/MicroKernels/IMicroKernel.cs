namespace TorchQuant.Kernels;

/// <summary>The inner product of one ISA: a few rows of activations times one panel of 32 packed columns, for the whole depth.</summary>
internal unsafe interface IMicroKernel
{
    /// <summary>The most rows that <see cref="Run"/> takes at once.</summary>
    static abstract int MaxRows { get; }

    /// <summary>What a kernel of signed products subtracts from every activation code; the drivers subtract it from the zero point and from the sums of rows too, so that no result changes.</summary>
    static virtual int ActivationOffset => 0;

    /// <summary>
    /// tile[r, c] = sum over k of (a[r, k] - <see cref="ActivationOffset"/>) * panel[k, c], exact in int32, for r below <paramref name="rows"/> (1 to <see cref="MaxRows"/>) and c below 32.
    /// </summary>
    /// <param name="rows">How many rows.</param>
    /// <param name="a">The first row of activation codes.</param>
    /// <param name="stride">Bytes from one row to the next.</param>
    /// <param name="panel">[groups][32][4] weights, 64-byte aligned.</param>
    /// <param name="groups">Depth in groups of four, at least 1.</param>
    /// <param name="tile">Row-major [rows, 32], 64-byte aligned.</param>
    static abstract void Run(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile);

    /// <summary>Whether <see cref="RunToBytes"/> can be called.</summary>
    static virtual bool RequantizesItself => false;

    /// <summary>The height of tiles that suits <see cref="RunToBytes"/>, for so many columns of a panel and a depth in groups of four.</summary>
    static virtual int RowsToBytes(int columns, nint groups) => throw new NotSupportedException();

    /// <summary>Whether <see cref="RunToBytes"/> gains by adding a residual itself, for so many columns of all panels and a depth in groups of four.</summary>
    static virtual bool AddsResidual(int columns, nint groups) => false;

    /// <summary>The height of tiles that suits it then.</summary>
    static virtual int RowsWithResidual(nint groups) => throw new NotSupportedException();

    /// <summary>The same with all that follows, for several tiles: the codes that <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> gives for bounded terms, to the bit.</summary>
    /// <param name="rows">Rows of a tile.</param>
    /// <param name="columns">Columns of the panel, 1 to 32.</param>
    /// <param name="tiles">The tiles, at least one.</param>
    static virtual void RunToBytes(int rows, int columns, ByteTiles* tiles) => throw new NotSupportedException();

    /// <summary>Whether <see cref="RunPlacedToBytes"/> can be called.</summary>
    static virtual bool TakesPlacedTiles => false;

    /// <summary>The height of tiles that suits <see cref="RunPlacedToBytes"/>, for so many columns of a panel and a depth in groups of four.</summary>
    static virtual int PlacedRowsToBytes(int columns, nint groups) => throw new NotSupportedException();

    /// <summary>As <see cref="RunToBytes"/> for tiles that lie where <see cref="ByteTiles.Places"/> says and whose depth goes on as <see cref="ByteTiles.Steps"/> says.</summary>
    /// <param name="rows">Rows of a tile.</param>
    /// <param name="columns">Columns of the panel, 1 to 32.</param>
    /// <param name="tiles">The tiles, at least one.</param>
    static virtual void RunPlacedToBytes(int rows, int columns, ByteTiles* tiles) => throw new NotSupportedException();

    /// <summary>Whether <see cref="RunToFloats"/> can be called.</summary>
    static virtual bool GivesFloatsItself => false;

    /// <summary>The same with all that follows, for several tiles of up to <see cref="MaxRows"/> rows: the numbers that <see cref="GemmEpilogue{TLanes, TFloat, TInt}"/> gives, to the bit, if no bias is -0 where there is a ReLU.</summary>
    /// <param name="rows">Rows of a tile.</param>
    /// <param name="columns">Columns of the panel, 1 to 32.</param>
    /// <param name="tiles">The tiles, at least one.</param>
    static virtual void RunToFloats(int rows, int columns, FloatTiles* tiles) => throw new NotSupportedException();

    /// <summary>Whether <see cref="RunSevenBits"/> can be called.</summary>
    static virtual bool IsFasterWithSevenBits => false;

    /// <summary>As <see cref="Run"/>, for activations whose codes are all below 128: <see cref="SevenBits"/>.</summary>
    static virtual void RunSevenBits(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile) => throw new NotSupportedException();
}
