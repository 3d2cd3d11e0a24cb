using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of tiles whose sums become float results while they are in registers: void (FloatTiles* tiles), in the calling convention of System V or of 64-bit
/// Windows. Operation by operation it is <see cref="GemmEpilogue{TLanes, TFloat, TInt}"/>:
/// <code>
///   sums begin at -zero point * column sum      int32 wraps around, so the order of additions changes nothing
///   vcvtdq2ps, fma(sum, scale * column scale, bias), + output, max(floor, ...)
/// </code>
/// The sums of a tile are finished while the processor is already busy with the products of the next one.
/// </summary>
internal sealed class FloatTileCode
{
    // At most 28 registers hold sums; the others hold what is the same for all rows.
    private const int Scales = 28, Floor = 30, Moment = 31, FirstMask = 1;

    /// <summary>How many forms there are.</summary>
    public const int Forms = 7;

    private static readonly FloatTilesLayout s_at = new();

    private readonly Assembler _asm;
    private readonly TileLoop _loop;
    private readonly int _rows;
    private readonly int _vectors;
    private readonly bool _isMasked;
    private readonly FloatTileForm _form;

    private FloatTileCode(Assembler asm, int rows, FloatTileForm form)
    {
        (_asm, _rows, _form) = (asm, rows, form);
        _vectors = form == FloatTileForm.OneVector ? 1 : TileLoop.PanelVectors;
        _isMasked = form is FloatTileForm.OneVector or FloatTileForm.TwoVectors;
        _loop = new TileLoop(asm, rows, _vectors, ahead: FetchesAhead ? R12 : null) { PrefetchDistance = form == FloatTileForm.Streamed ? TileLoop.StreamingDistance : null };
    }

    private bool FetchesAhead => _form >= FloatTileForm.Ahead;

    /// <summary>Appends the code for tiles of that many rows.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="rows">Rows of a tile, up to <see cref="TileLoop.MaxRows"/>.</param>
    /// <param name="form">What columns there are, and where the weights come from.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, FloatTileForm form, bool isWindows) =>
        TilesFunction.Append(asm, isWindows, [R12], new FloatTileCode(asm, rows, form).Write);

    private void Write()
    {
        for (int v = 0; _isMasked && v < _vectors; v++)
            _asm.Kmovd(FirstMask + v, At(v == 0 ? s_at.FirstColumns : s_at.LastColumns));
        _asm.Mov(Rsi, At(s_at.Stride));
        int tile = _asm.Position;
        _asm.Mov(Rdi, At(s_at.A));
        _asm.Mov(Rdx, At(s_at.Panel));
        _asm.Mov(Rcx, At(s_at.Groups));
        if (FetchesAhead)
        {
            _asm.Mov(R12, Rdx);
            _asm.Add(R12, At(s_at.Ahead));
            _asm.Mov(Rax, At(s_at.LaterAhead));
            _asm.Mov(At(s_at.Ahead), Rax);
        }

        Begin();
        _loop.Write();
        LoadConstants();
        _asm.Mov(Rcx, At(s_at.Accumulate));
        _asm.Sub(Rcx, 1);
        int toAccumulate = _asm.JumpForward(Assembler.Condition.Equal);
        Finish(accumulate: false);
        // Always: nothing since the comparison has changed the flags.
        int done = _asm.JumpForward(Assembler.Condition.NotEqual);
        _asm.Land(toAccumulate);
        Finish(accumulate: true);
        _asm.Land(done);
        Advance(s_at.A, s_at.AStep);
        Advance(s_at.Panel, s_at.PanelStep);
        Advance(s_at.ColumnSums, s_at.SumStep);
        Advance(s_at.ColumnScales, s_at.ScaleStep);
        Advance(s_at.Biases, s_at.BiasStep);
        Advance(s_at.Output, s_at.OutputStep);
        _asm.Mov(Rcx, At(s_at.Count));
        _asm.Sub(Rcx, 1);
        _asm.Mov(At(s_at.Count), Rcx);
        _asm.Jump(Assembler.Condition.NotEqual, tile);
    }

    private void Begin()
    {
        _asm.Mov(Rax, At(s_at.ColumnSums));
        _asm.Vpbroadcastd(Moment, At(s_at.NegatedZeroPoint));
        for (int v = 0; v < _vectors; v++)
            _asm.Vpmulld(v, Moment, new Memory(Rax, v * TileLoop.VectorBytes));
        for (int i = _vectors; i < _loop.Results; i++)
            _asm.Vmovdqa32(i, i % _vectors);
        _loop.Clear(from: _loop.Results);
    }

    private void LoadConstants()
    {
        _asm.Mov(Rax, At(s_at.Output));
        _asm.Mov(R9, At(s_at.OutputStride));
        _asm.Mov(R10, At(s_at.ColumnScales));
        _asm.Mov(R11, At(s_at.Biases));
        _asm.Vpbroadcastd(Moment, At(s_at.Scale));
        for (int v = 0; v < _vectors; v++)
            _asm.Vmulps(Scales + v, Moment, new Memory(R10, v * TileLoop.VectorBytes));
        _asm.Vpbroadcastd(Floor, At(s_at.Floor));
    }

    private void Finish(bool accumulate)
    {
        for (int row = 0; row < _rows; row++)
        {
            for (int v = 0; v < _vectors; v++)
            {
                Finish(row * _vectors + v, v, new Memory(Rax, v * TileLoop.VectorBytes), accumulate);
                // Where the next panel will write: rows far apart are not foreseen by the processor.
                if (_form == FloatTileForm.AheadSpread && !accumulate)
                    _asm.PrefetchForWriting(new Memory(Rax, (_vectors + v) * TileLoop.VectorBytes));
            }

            _asm.Lea(Rax, new Memory(Rax, Index: R9));
        }
    }

    private void Finish(int sums, int vector, Memory output, bool accumulate)
    {
        _asm.Vcvtdq2ps(sums, sums);
        _asm.Vfmadd213ps(sums, Scales + vector, new Memory(R11, vector * TileLoop.VectorBytes));
        if (accumulate)
        {
            if (_isMasked)
                _asm.Load(Moment, output, FirstMask + vector);
            else
                _asm.Load(Moment, output);
            _asm.Vaddps(sums, Moment, sums);
        }

        _asm.Vmaxps(sums, Floor, sums);
        if (_isMasked)
            _asm.Store(output, sums, FirstMask + vector);
        else if (_form == FloatTileForm.AheadPast && !accumulate)
            _asm.StorePast(output, sums);
        else
            _asm.Store(output, sums);
    }

    private void Advance(int pointer, int step)
    {
        _asm.Mov(Rax, At(pointer));
        _asm.Mov(Rdx, At(step));
        _asm.Lea(Rax, new Memory(Rax, Index: Rdx));
        _asm.Mov(At(pointer), Rax);
    }

    private static Memory At(int offset) => new(R8, offset);
}
