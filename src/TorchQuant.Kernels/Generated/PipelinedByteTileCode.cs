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
/// With a residual (<see cref="ResidualCode"/>) the banks are 8 or 12: the registers from their end to 27 and 31 hold what they can of what is the same for all tiles.
/// </summary>
internal sealed class PipelinedByteTileCode
{
    /// <summary>Rows of a tile at most, for products of few groups of the depth and for others. A row less is a tile too.</summary>
    public const int RowsOfFewGroups = 6, RowsOfManyGroups = 7;

    /// <summary>Groups that overlap with the tile before. There must be as many at least.</summary>
    public const int FewGroups = 4, ManyGroups = 8;

    private const int Vectors = TileLoop.PanelVectors, Mask = 1, LastMask = 2, PackedVectors = 4, EndOfFree = 28, Last = 31;

    private static readonly ByteTilesLayout s_at = new();

    private readonly Assembler _asm;
    private readonly TileSequence _tiles;
    private readonly TileLoop[] _loops;
    private readonly int _rows;
    private readonly int _overlapped;
    private readonly int _bankSums;
    private readonly bool _isSimple;

    /// <summary>The first of two registers of multipliers and of two of biases, and of the order of bytes; null where they are loaded each time.</summary>
    private readonly int? _multipliers;
    private readonly int? _order;

    /// <summary>Whatever is needed for a moment.</summary>
    private readonly int _moment = Last;
    private readonly ResidualCode? _residual;

    private PipelinedByteTileCode(Assembler asm, TileSequence tiles, int rows, int mostRows, int overlapped, bool isSimple, bool hasResidual)
    {
        (_asm, _tiles, _rows, _overlapped, _bankSums, _isSimple) = (asm, tiles, rows, overlapped, Vectors * mostRows, isSimple);
        _loops = [tiles.Loop(rows, Vectors, first: 0), tiles.Loop(rows, Vectors, first: _bankSums)];
        int free = 2 * _bankSums, needed = hasResidual ? ResidualCode.Constants + 1 : 0;
        if (EndOfFree - free >= 2 * Vectors + needed)
        {
            (_multipliers, _order) = (free, Last);
            free += 2 * Vectors;
        }

        if (!hasResidual)
            return;
        if (_order is not null)
            _moment = free++;
        _residual = new ResidualCode(asm, _moment, [.. Enumerable.Range(free, Math.Min(EndOfFree - free, ResidualCode.Constants))], Mask, LastMask);
    }

    /// <summary>Appends the code for tiles of that many rows and up to 32 columns.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="rows">Rows of a tile: the most for these groups, or fewer.</param>
    /// <param name="hasManyGroups">Whether the depth is <see cref="ManyGroups"/> at least, or only <see cref="FewGroups"/>.</param>
    /// <param name="isSimple">Whether for <see cref="ByteTiles.IsSimple"/> alone.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <param name="arePlaced">Whether the tiles lie where <see cref="ByteTiles.Places"/> says, else one below the other.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, bool hasManyGroups, bool isSimple, bool isWindows, bool arePlaced = false)
    {
        TileSequence tiles = arePlaced ? new PlacedTiles(asm) : new TileSequence(asm);
        int mostRows = hasManyGroups ? RowsOfManyGroups : RowsOfFewGroups, overlapped = hasManyGroups ? ManyGroups : FewGroups;
        return TilesFunction.Append(asm, isWindows, [Rbx, .. tiles.Saved], new PipelinedByteTileCode(asm, tiles, rows, mostRows, overlapped, isSimple, hasResidual: false).Write);
    }

    /// <summary>Appends the code for tiles of that many rows and up to 32 columns, one below the other, that a residual is added to: <see cref="ByteTiles.Added"/>.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="rows">Rows of a tile: the most of the form, or fewer.</param>
    /// <param name="form">The form.</param>
    /// <param name="isSimple">Whether for <see cref="ByteTiles.IsSimple"/> alone.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, ResidualForm form, bool isSimple, bool isWindows)
    {
        var tiles = new TileSequence(asm);
        return TilesFunction.Append(asm, isWindows, [Rbx, Rbp, .. tiles.Saved], new PipelinedByteTileCode(asm, tiles, rows, form.MostRows, form.LeastGroups, isSimple, hasResidual: true).Write);
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
        if (_order is { } order)
            _asm.Load(order, At(s_at.Order));
        for (int v = 0; _multipliers is { } multipliers && v < Vectors; v++)
        {
            _asm.Load(multipliers + v, new Memory(Rbx, s_at.Multipliers + v * TileLoop.VectorBytes));
            _asm.Load(multipliers + Vectors + v, new Memory(Rbx, s_at.Biases + v * TileLoop.VectorBytes));
        }

        _residual?.LoadConstants();
    }

    /// <summary>Where the codes go of the tile that is requantized, and where those lie that are added to them.</summary>
    private void LoadOutput()
    {
        _tiles.LoadOutput(R10);
        _residual?.LoadPlace(Rbp, R10);
    }

    /// <returns>A jump for when it was the last tile.</returns>
    private int Tile(int bank, bool hasPrevious)
    {
        TileLoop loop = _loops[bank];
        int first = bank * _bankSums;
        if (hasPrevious)
            LoadOutput();
        _tiles.Load(loop);
        if (_residual is not null)
        {
            _tiles.LoadOutput(Rcx);
            _residual.Fetch(_rows, Rcx, Rdx);
        }

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
        int offset = vector * TileLoop.VectorBytes, bias = _multipliers is { } first ? first + Vectors + vector : _moment;
        yield return () => _asm.Vcvtdq2ps(sums, sums);
        // An addition has execution units that the products do not use.
        if (_isSimple)
            yield return () => _asm.Vaddps(sums, sums, new Memory(Rbx, s_at.Biases + offset));
        else if (_multipliers is null)
            yield return () => _asm.Load(bias, new Memory(Rbx, s_at.Biases + offset));
        if (!_isSimple)
            yield return () => _asm.Vfmadd231ps(sums, bias, new Memory(Rbx, s_at.BiasFactor));
        if (_multipliers is { } multipliers)
            yield return () => _asm.Vmulps(sums, sums, multipliers + vector);
        else
            yield return () => _asm.Vmulps(sums, sums, new Memory(Rbx, s_at.Multipliers + offset));
        foreach (Action step in _residual?.Add(sums, vector, isSecond ? new Memory(Rbp, Index: R11) : new Memory(Rbp)) ?? [])
            yield return step;
        yield return () => _asm.Vcvtps2dq(sums, sums);
    }

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

        int order = _order ?? _moment;
        if (_order is null)
            yield return () => _asm.Load(order, At(s_at.Order));
        yield return () => _asm.Vpermd(first, order, first);
        yield return () => _asm.StoreBytes256(new Memory(R10), first, Mask);
        if (rows > 1)
        {
            yield return () => _asm.VextractUpper(third, first);
            yield return () => _asm.StoreBytes256(new Memory(R10, Index: R11), third, Mask);
        }

        int strides = rows > 1 ? 2 : 1;
        yield return () => _asm.Lea(R10, new Memory(R10, Index: R11, Scale: strides));
        if (_residual is not null)
            yield return () => _asm.Lea(Rbp, new Memory(Rbp, Index: R11, Scale: strides));
    }

    private static Memory At(int offset) => new(R8, offset);
}
