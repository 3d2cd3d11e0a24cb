using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// As <see cref="ByteTileCode"/>, for products that are not deep: while the first groups of a tile are multiplied, the tile before is requantized, instruction by
/// instruction in turn, since the processor does not look far enough ahead to overlap the two by itself. So two tiles of half the height share the registers:
/// <code>
///   two banks of 12 or 14     sums of this tile and of the one before, in turn
///   24..27                    with 12 sums: multipliers and biases, for products so short that loading them each time is what limits
///   28, 29, 30                weights, broadcast activations
///   31                        with 12 sums the order of the bytes of packed rows; with 14 whatever is needed for a moment
/// </code>
/// With a residual (<see cref="ResidualCode"/>) the sums are 12, and 24..27 hold its two scales and what is needed for a moment.
/// </summary>
internal sealed class PipelinedByteTileCode
{
    /// <summary>Rows of a tile at most, for products of few groups of the depth and for others. A row less is a tile too.</summary>
    public const int RowsOfFewGroups = 6, RowsOfManyGroups = 7;

    /// <summary>Groups that overlap with the tile before. There must be as many at least.</summary>
    public const int FewGroups = 4, ManyGroups = 8;

    private const int Vectors = TileLoop.PanelVectors, Mask = 1, LastMask = 2, PackedVectors = 4, Multipliers = 24, Biases = 26, Moment = 31;

    private static readonly ByteTilesLayout s_at = new();

    private readonly Assembler _asm;
    private readonly TileSequence _tiles;
    private readonly TileLoop[] _loops;
    private readonly int _rows;
    private readonly int _overlapped;
    private readonly int _bankSums;
    private readonly bool _isSimple;
    private readonly ResidualCode? _residual;

    private PipelinedByteTileCode(Assembler asm, TileSequence tiles, int rows, bool hasManyGroups, bool isSimple, bool hasResidual)
    {
        _isSimple = isSimple;
        (_asm, _tiles, _rows, _overlapped) = (asm, tiles, rows, hasManyGroups ? ManyGroups : FewGroups);
        _bankSums = Vectors * MostRows(hasManyGroups, hasResidual);
        _residual = hasResidual ? new ResidualCode(asm, Multipliers, Multipliers + 1, Biases, Mask, LastMask) : null;
        _loops = [tiles.Loop(rows, Vectors, first: 0), tiles.Loop(rows, Vectors, first: _bankSums)];
    }

    private bool HasSpareRegisters => 2 * _bankSums <= Multipliers;

    private bool HasConstantsInRegisters => HasSpareRegisters && _residual is null;

    /// <summary>A register for the biases of one vector.</summary>
    private int BiasMoment => _residual is null ? Moment : Biases + 1;

    /// <summary>Rows of a tile at most.</summary>
    public static int MostRows(bool hasManyGroups, bool hasResidual) => hasManyGroups && !hasResidual ? RowsOfManyGroups : RowsOfFewGroups;

    /// <summary>Appends the code for tiles of that many rows and up to 32 columns.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="rows">Rows of a tile: the most for these groups, or fewer.</param>
    /// <param name="hasManyGroups">Whether the depth is <see cref="ManyGroups"/> at least, or only <see cref="FewGroups"/>.</param>
    /// <param name="isSimple">Whether for <see cref="ByteTiles.IsSimple"/> alone.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <param name="arePlaced">Whether the tiles lie where <see cref="ByteTiles.Places"/> says, else one below the other.</param>
    /// <param name="hasResidual">Whether a residual is added: <see cref="ByteTiles.Added"/>.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, bool hasManyGroups, bool isSimple, bool isWindows, bool arePlaced = false, bool hasResidual = false)
    {
        TileSequence tiles = arePlaced ? new PlacedTiles(asm) : new TileSequence(asm);
        ReadOnlySpan<Gpr> own = hasResidual ? [Rbx, Rbp] : [Rbx];
        return TilesFunction.Append(asm, isWindows, [.. own, .. tiles.Saved], new PipelinedByteTileCode(asm, tiles, rows, hasManyGroups, isSimple, hasResidual).Write);
    }

    private void Write()
    {
        _asm.Kmovd(Mask, At(s_at.Columns));
        _tiles.Enter();
        _asm.Mov(Rbx, At(s_at.Terms));
        LoadConstants();

        int only = Tile(0, hasPrevious: false);
        int loop = _asm.Position;
        int last = Tile(1, hasPrevious: true);
        int again = Tile(0, hasPrevious: true);
        _asm.Jump(Assembler.Condition.NotEqual, loop);
        _asm.Land(only);
        _asm.Land(again);
        LoadOutput();
        foreach (Action step in Finish(0))
            step();
        int done = _asm.JumpForward();
        _asm.Land(last);
        LoadOutput();
        foreach (Action step in Finish(_bankSums))
            step();
        _asm.Land(done);
        _tiles.EndOutput(R10);
        _tiles.Leave();
    }

    private void LoadConstants()
    {
        if (HasSpareRegisters)
            _asm.Load(Moment, At(s_at.Order));
        for (int v = 0; v < Vectors && HasConstantsInRegisters; v++)
        {
            _asm.Load(Multipliers + v, new Memory(Rbx, s_at.Multipliers + v * TileLoop.VectorBytes));
            _asm.Load(Biases + v, new Memory(Rbx, s_at.Biases + v * TileLoop.VectorBytes));
        }

        _residual?.LoadMasks(R8);
        _residual?.LoadScales(R8);
    }

    /// <summary>Where the codes go of the tile that is requantized, and where those lie that are added to them.</summary>
    private void LoadOutput()
    {
        _tiles.LoadOutput(R10);
        _residual?.LoadPlace(Rbp, R10, R8);
    }

    /// <returns>A jump for when it was the last tile.</returns>
    private int Tile(int bank, bool hasPrevious)
    {
        TileLoop loop = _loops[bank];
        int first = bank * _bankSums;
        if (hasPrevious)
            LoadOutput();
        _tiles.Load(loop);
        _asm.Mov(Rdx, At(s_at.Panel));
        _asm.Mov(Rcx, At(s_at.Groups));
        for (int v = 0; v < Vectors; v++)
        {
            _asm.Vpxord(first + v, first + v, first + v);
            _asm.Vpsubd(first + v, first + v, new Memory(Rbx, s_at.Corrections + v * TileLoop.VectorBytes));
        }

        for (int i = Vectors; i < loop.Results; i++)
            _asm.Vmovdqa32(first + i, first + i % Vectors);
        loop.SetPointers();
        _asm.Mov(R11, At(s_at.OutputStride));
        Action[] products = [.. Enumerable.Range(0, _overlapped).SelectMany(group => loop.Steps(group))], finish = hasPrevious ? [.. Finish(_bankSums - first)] : [];
        for (int i = 0, done = 0; i < products.Length; i++)
        {
            products[i]();
            for (; done < (long)finish.Length * (i + 1) / products.Length; done++)
                finish[done]();
        }

        if (hasPrevious)
            _tiles.EndOutput(R10);
        loop.Advance(_overlapped);
        _asm.Sub(Rcx, _overlapped);
        loop.Loop();
        _asm.Mov(Rcx, At(s_at.Count));
        _asm.Sub(Rcx, 1);
        _asm.Mov(At(s_at.Count), Rcx);
        return _asm.JumpForward(Assembler.Condition.Equal);
    }

    /// <summary>The instructions that requantize and store the tile in a bank of registers.</summary>
    private IEnumerable<Action> Finish(int bank)
    {
        int results = _rows * Vectors;
        for (int first = 0; first < results; first += PackedVectors)
        {
            int end = Math.Min(first + PackedVectors, results);
            for (int i = first; i < end; i++)
            {
                foreach (Action step in Scale(bank + i, i % Vectors, isSecond: i >= first + Vectors))
                    yield return step;
            }

            foreach (Action step in Pack(bank + first, (end - first) / Vectors))
                yield return step;
        }
    }

    private IEnumerable<Action> Scale(int sums, int vector, bool isSecond)
    {
        int offset = vector * TileLoop.VectorBytes, bias = HasConstantsInRegisters ? Biases + vector : BiasMoment;
        yield return () => _asm.Vcvtdq2ps(sums, sums);
        // An addition has execution units that the products do not use.
        if (_isSimple)
            yield return () => _asm.Vaddps(sums, sums, new Memory(Rbx, s_at.Biases + offset));
        else if (!HasConstantsInRegisters)
            yield return () => _asm.Load(bias, new Memory(Rbx, s_at.Biases + offset));
        if (!_isSimple)
            yield return () => _asm.Vfmadd231ps(sums, bias, new Memory(Rbx, s_at.BiasFactor));
        if (HasConstantsInRegisters)
            yield return () => _asm.Vmulps(sums, sums, Multipliers + vector);
        else
            yield return () => _asm.Vmulps(sums, sums, new Memory(Rbx, s_at.Multipliers + offset));
        foreach (Action step in _residual?.Add(sums, vector, isSecond ? new Memory(Rbp, Index: R11) : new Memory(Rbp), R8) ?? [])
            yield return step;
        yield return () => _asm.Vcvtps2dq(sums, sums);
    }

    /// <summary>As in <see cref="ByteTileCode"/>, one row or two.</summary>
    private IEnumerable<Action> Pack(int first, int rows)
    {
        int third = first + Vectors;
        yield return () => _asm.Vpackssdw(first, first, first + 1);
        yield return () => _asm.Vpaddsw(first, first, At(s_at.ZeroPoints));
        if (rows > 1)
        {
            yield return () => _asm.Vpackssdw(third, third, third + 1);
            yield return () => _asm.Vpaddsw(third, third, At(s_at.ZeroPoints));
        }

        yield return () => _asm.Vpackuswb(first, first, rows > 1 ? third : first);
        if (!_isSimple)
        {
            yield return () => _asm.Vpmaxub(first, first, At(s_at.Lowest));
            yield return () => _asm.Vpminub(first, first, At(s_at.Highest));
        }

        if (!HasSpareRegisters)
            yield return () => _asm.Load(Moment, At(s_at.Order));
        yield return () => _asm.Vpermd(first, Moment, first);
        yield return () => _asm.StoreBytes256(new Memory(R10), first, Mask);
        if (rows > 1)
        {
            yield return () => _asm.VextractUpper(third, first);
            yield return () => _asm.StoreBytes256(new Memory(R10, Index: R11), third, Mask);
        }

        int stride = rows > 1 ? 2 : 1;
        yield return () => _asm.Lea(R10, new Memory(R10, Index: R11, Scale: stride));
        if (_residual is not null)
            yield return () => _asm.Lea(Rbp, new Memory(Rbp, Index: R11, Scale: stride));
    }

    private static Memory At(int offset) => new(R8, offset);
}
