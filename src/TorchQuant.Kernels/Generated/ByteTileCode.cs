using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of tiles whose sums are requantized while they are in registers: void (ByteTiles* tiles), in the calling convention of System V or of 64-bit
/// Windows. Operation by operation it is <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> for bounded terms:
/// <code>
///   sums begin at -correction     int32 wraps around, so the order of additions changes nothing
///   vcvtdq2ps, + bias, * multiplier, vcvtps2dq                      in int32 because the terms are bounded
///   vpackssdw, + zero point, vpackuswb, max, min, vpermd          two rows at once, or four of 16 columns: saturation changes no code, and clamping after rounding none
/// </code>
/// </summary>
internal sealed unsafe class ByteTileCode
{
    private const int Mask = 1, PackedVectors = 4;

    // At most 28 registers hold sums; the others hold what is the same for all rows: two vectors of multipliers and of biases.
    private const int Multipliers = 28, Biases = 30;

    private static readonly ByteTilesLayout s_at = new();

    private readonly Assembler _asm;
    private readonly TileSequence _tiles;
    private readonly TileLoop _loop;
    private readonly int _vectors;

    private ByteTileCode(Assembler asm, TileSequence tiles, int rows, int vectors) => (_asm, _tiles, _vectors, _loop) = (asm, tiles, vectors, tiles.Loop(rows, vectors));

    /// <summary>Registers that are free once the first sums are packed.</summary>
    private int Order => _loop.Results < PackedVectors ? Multipliers - 1 : 1;

    private int Part => _loop.Results < PackedVectors ? Multipliers - 2 : 2;

    /// <summary>Appends the code for tiles of that many rows.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="rows">Rows of a tile, up to <see cref="TileLoop.MaxRows"/>.</param>
    /// <param name="vectors">1 for up to 16 columns, 2 for up to 32.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <param name="arePlaced">Whether the tiles lie where <see cref="ByteTiles.Places"/> says, else one below the other.</param>
    /// <param name="isStreaming">Whether the weights come from beyond the second level of the cache.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, int vectors, bool isWindows, bool arePlaced = false, bool isStreaming = false)
    {
        TileSequence tiles = arePlaced ? new PlacedTiles(asm) : new TileSequence(asm);
        var code = new ByteTileCode(asm, tiles, rows, vectors);
        code._loop.PrefetchDistance = isStreaming ? TileLoop.StreamingDistance : null;
        return TilesFunction.Append(asm, isWindows, tiles.Saved, code.Write);
    }

    private void Write()
    {
        _asm.Kmovd(Mask, At(s_at.Columns));
        _tiles.Enter();
        int tile = _asm.Position;
        Begin();
        _tiles.Load(_loop);
        _asm.Mov(Rdx, At(s_at.Panel));
        _asm.Mov(Rcx, At(s_at.Groups));
        _loop.Write();
        Finish();
        _asm.Mov(Rcx, At(s_at.Count));
        _asm.Sub(Rcx, 1);
        _asm.Mov(At(s_at.Count), Rcx);
        _asm.Jump(Assembler.Condition.NotEqual, tile);
        _tiles.Leave();
    }

    private void Begin()
    {
        _asm.Mov(Rax, At(s_at.Terms));
        for (int v = 0; v < _vectors; v++)
        {
            _asm.Vpxord(v, v, v);
            _asm.Vpsubd(v, v, new Memory(Rax, s_at.Corrections + v * TileLoop.VectorBytes));
        }

        for (int i = _vectors; i < _loop.Results; i++)
            _asm.Vmovdqa32(i, i % _vectors);
        _loop.Clear(from: _loop.Results);
    }

    /// <summary>Four sums at a time: as soon as the first are packed, their registers hold what the packing needs.</summary>
    private void Finish()
    {
        _asm.Mov(R10, At(s_at.Terms));
        _tiles.LoadOutput(Rax);
        _asm.Mov(R9, At(s_at.OutputStride));
        for (int v = 0; v < _vectors; v++)
        {
            _asm.Load(Multipliers + v, new Memory(R10, s_at.Multipliers + v * TileLoop.VectorBytes));
            _asm.Load(Biases + v, new Memory(R10, s_at.Biases + v * TileLoop.VectorBytes));
        }

        for (int first = 0; first < _loop.Results; first += PackedVectors)
        {
            for (int i = first; i < Math.Min(first + PackedVectors, _loop.Results); i++)
                Scale(i, i % _vectors);
            Pack(first);
        }

        _tiles.EndOutput(Rax);
    }

    private void Scale(int sums, int vector)
    {
        _asm.Vcvtdq2ps(sums, sums);
        _asm.Vfmadd231ps(sums, Biases + vector, new Memory(R10, s_at.BiasFactor));
        _asm.Vmulps(sums, sums, Multipliers + vector);
        _asm.Vcvtps2dq(sums, sums);
    }

    /// <summary>The packs work within 128 bits, so that four bytes of each of four vectors in turn come out; the permutation brings together those of one vector.</summary>
    private void Pack(int first)
    {
        int last = _loop.Results - 1, second = Math.Min(first + 1, last), third = Math.Min(first + 2, last), fourth = Math.Min(first + 3, last);
        _asm.Vpackssdw(first, first, second);
        _asm.Vpaddsw(first, first, At(s_at.ZeroPoints));
        if (third > second)
        {
            _asm.Vpackssdw(third, third, fourth);
            _asm.Vpaddsw(third, third, At(s_at.ZeroPoints));
            _asm.Vpackuswb(first, first, third);
        }
        else
        {
            _asm.Vpackuswb(first, first, first);
        }

        _asm.Vpmaxub(first, first, At(s_at.Lowest));
        _asm.Vpminub(first, first, At(s_at.Highest));
        if (first == 0)
            _asm.Load(Order, At(s_at.Order));
        _asm.Vpermd(first, Order, first);
        Store(first, (Math.Min(PackedVectors, _loop.Results - first) + _vectors - 1) / _vectors);
    }

    /// <summary>The rows in a register, from its low end on.</summary>
    private void Store(int register, int rows)
    {
        for (int row = 0; row < rows; row++)
        {
            if (row > 0 && _vectors == 1)
                _asm.Vextracti32x4(Part, register, row);
            else if (row > 0)
                _asm.VextractUpper(Part, register);
            if (_vectors == 1)
                _asm.StoreBytes128(new Memory(Rax), row > 0 ? Part : register, Mask);
            else
                _asm.StoreBytes256(new Memory(Rax), row > 0 ? Part : register, Mask);
            _asm.Lea(Rax, new Memory(Rax, Index: R9));
        }
    }

    private static Memory At(int offset) => new(R8, offset);
}
