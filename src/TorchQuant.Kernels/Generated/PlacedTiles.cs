using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>Tiles that lie where a list of <see cref="TilePlace"/> says, which r15 points to, for <see cref="WindowLoop"/>.</summary>
internal sealed unsafe class PlacedTiles(Assembler asm) : TileSequence(asm)
{
    public override ReadOnlySpan<Gpr> Saved => [R12, R13, R14, R15];

    public override TileLoop Loop(int rows, int vectors, int? first = null) => new WindowLoop(Asm, rows, vectors, first);

    public override void Enter()
    {
        base.Enter();
        Asm.Lea(R12, new Memory(Rsi, Index: Rsi, Scale: 2));
        Asm.Lea(R13, new Memory(Rsi, Index: Rsi, Scale: 4));
        Asm.Mov(R15, At(Layout.Places));
    }

    public override void Load(TileLoop loop)
    {
        Asm.Mov(Rdi, new Memory(R15));
        if (((WindowLoop)loop).HasSecond)
        {
            Asm.Mov(Rax, new Memory(R15, Layout.Second));
            Asm.Lea(Rax, new Memory(Rdi, Index: Rax));
        }

        Asm.Mov(R14, At(Layout.Steps));
        LoadAhead(R9);
        Asm.Add(R15, sizeof(TilePlace));
    }

    public override void LoadOutput(Gpr target)
    {
        Asm.Mov(target, At(Layout.Output));
        Asm.Add(target, new Memory(R15, Layout.PlaceOutput - sizeof(TilePlace)));
    }

    public override void EndOutput(Gpr end)
    {
    }

    public override void Leave() => Asm.Mov(At(Layout.Places), R15);
}
