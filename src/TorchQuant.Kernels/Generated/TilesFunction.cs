using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>Entry and exit of a generated function void (tiles*), in the calling convention of System V or of 64-bit Windows: the address of the tiles is in r8 while its body runs.</summary>
internal static class TilesFunction
{
    /// <summary>Appends a function.</summary>
    /// <param name="asm">Where the code goes.</param>
    /// <param name="isWindows">The calling convention.</param>
    /// <param name="saved">Registers that the body uses and the caller keeps, besides those of <see cref="WindowsFrame"/>.</param>
    /// <param name="body">Appends the body.</param>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, bool isWindows, ReadOnlySpan<Gpr> saved, Action body)
    {
        asm.Align(TileLoop.CodeAlignment);
        int start = asm.Position;
        if (isWindows)
            WindowsFrame.Enter(asm);
        foreach (Gpr register in saved)
            asm.Push(register);
        asm.Mov(R8, isWindows ? Rcx : Rdi);
        body();
        asm.Vzeroupper();
        for (int i = saved.Length - 1; i >= 0; i--)
            asm.Pop(saved[i]);
        if (isWindows)
            WindowsFrame.Leave(asm);
        asm.Ret();
        return start;
    }
}
