using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>How generated code comes from one of the tiles of a <see cref="ByteTiles"/>, whose address is in r8, to the next: their rows lie one below the other.</summary>
internal class TileSequence(Assembler asm)
{
    protected static readonly ByteTilesLayout Layout = new();

    /// <summary>Registers besides those that both calling conventions leave to the callee: saved on entry.</summary>
    public virtual ReadOnlySpan<Gpr> Saved => [R12];

    public virtual TileLoop Loop(int rows, int vectors, int? first = null) => new(asm, rows, vectors, first, ahead: R12);

    /// <summary>Sets what is the same for all tiles.</summary>
    public virtual void Enter() => asm.Mov(Rsi, At(Layout.Stride));

    /// <summary>Loads the pointers of the next tile; uses rcx.</summary>
    public virtual void Load(TileLoop loop)
    {
        asm.Mov(Rdi, At(Layout.A));
        asm.Mov(Rcx, At(Layout.Step));
        asm.Lea(Rcx, new Memory(Rdi, Index: Rcx));
        asm.Mov(At(Layout.A), Rcx);
        LoadAhead(R12);
    }

    /// <summary>Loads where the codes go of the tile that was loaded last.</summary>
    public virtual void LoadOutput(Gpr target) => asm.Mov(target, At(Layout.Output));

    /// <summary>Takes note of where the codes end.</summary>
    public virtual void EndOutput(Gpr end) => asm.Mov(At(Layout.Output), end);

    /// <summary>After the last tile.</summary>
    public virtual void Leave()
    {
    }

    protected Assembler Asm => asm;

    /// <summary>Loads where memory is fetched while the tile is multiplied; uses rcx.</summary>
    protected void LoadAhead(Gpr target)
    {
        asm.Mov(target, At(Layout.Panel));
        asm.Add(target, At(Layout.Ahead));
        asm.Mov(Rcx, At(Layout.LaterAhead));
        asm.Mov(At(Layout.Ahead), Rcx);
        asm.Add(Rcx, At(Layout.AheadStep));
        asm.Mov(At(Layout.LaterAhead), Rcx);
    }

    protected static Memory At(int offset) => new(R8, offset);
}
