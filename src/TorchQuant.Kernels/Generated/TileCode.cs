using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code of one tile whose sums are stored: void (byte* a, nint stride, sbyte* panel, nint groups, int* tile), in the calling convention of System V or of
/// 64-bit Windows. The rows of the tile are 32 numbers apart.
/// </summary>
internal static class TileCode
{
    /// <summary>The most rows of a tile.</summary>
    public const int MaxRows = TileLoop.MaxRows;

    /// <summary>Appends the code for that many rows.</summary>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, int rows, bool isWindows)
    {
        asm.Align(TileLoop.CodeAlignment);
        int start = asm.Position;
        if (isWindows)
            EnterFromWindows(asm);
        var loop = new TileLoop(asm, rows, TileLoop.PanelVectors);
        loop.Clear(from: 0);
        loop.Write();
        for (int i = 0; i < loop.Results; i++)
            asm.Store(new Memory(R8, i * TileLoop.VectorBytes), i);
        asm.Vzeroupper();
        if (isWindows)
            WindowsFrame.Leave(asm);
        asm.Ret();
        return start;
    }

    /// <summary>Moves the arguments to where System V has them.</summary>
    private static void EnterFromWindows(Assembler asm)
    {
        WindowsFrame.Enter(asm);
        asm.Mov(Rdi, Rcx);
        asm.Mov(Rsi, Rdx);
        asm.Mov(Rdx, R8);
        asm.Mov(R8, new Memory(Rsp, WindowsFrame.FifthArgument));
        asm.Mov(Rcx, R9);
    }
}
