using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>
/// The machine code that puts the codes of four rows of an image next to each other, for 64 channels, column by column:
/// <code>
///   row 0   abcd...     unpack bytes     a0 a1 b0 b1 ..     unpack int16    a0 a1 a2 a3 b0 b1 b2 b3 ..    four vectors of quads for each column
///   row 1   abcd...                      a2 a3 b2 b3 ..
/// </code>
/// Unpacking works within 128 bits, so the channels come out in the order that <see cref="DepthwiseTerms"/> has.
/// As a function: void (<see cref="DepthwiseColumns"/>*), in the calling convention of System V or of 64-bit Windows.
/// </summary>
internal static class DepthwiseColumnsCode
{
    /// <summary>Bytes of the quads of a column.</summary>
    public const int QuadsBytes = Vectors * VectorBytes;

    private const int Vectors = 4, VectorBytes = 64, Rows = PackedWeights.GroupDepth, Halves = Rows, Quads = Halves + Vectors;

    /// <summary>Appends the function.</summary>
    /// <returns>Where it begins.</returns>
    public static int Append(Assembler asm, bool isWindows)
    {
        asm.Align(TileLoop.CodeAlignment);
        int start = asm.Position;
        if (isWindows)
            WindowsFrame.Enter(asm);
        asm.Mov(Rax, isWindows ? Rcx : Rdi);
        Gpr[] targets = [Rsi, Rdx, Rdi, R8, Rcx];
        for (int i = 0; i < targets.Length; i++)
            asm.Mov(targets[i], new Memory(Rax, i * sizeof(long)));
        asm.Lea(R9, new Memory(Rdx, Index: Rdx, Scale: 2));
        asm.Align(TileLoop.CodeAlignment);
        int loop = asm.Position;
        asm.Load(0, new Memory(Rsi));
        asm.Load(1, new Memory(Rsi, 0, Rdx));
        asm.Load(2, new Memory(Rsi, 0, Rdx, 2));
        asm.Load(3, new Memory(Rsi, 0, R9));
        Unpack(asm, 0, Rows - 1, Halves, Quads);
        for (int v = 0; v < Vectors; v++)
            asm.Store(new Memory(Rdi, v * VectorBytes), Quads + v);
        asm.Add(Rsi, DepthwiseCode.Channels);
        asm.Lea(Rdi, new Memory(Rdi, Index: R8));
        asm.Sub(Rcx, 1);
        asm.Jump(Assembler.Condition.NotEqual, loop);
        asm.Vzeroupper();
        if (isWindows)
            WindowsFrame.Leave(asm);
        asm.Ret();
        return start;
    }

    /// <summary>The quads of one column, whose rows are in registers from one on; the last may be any that has them.</summary>
    public static void Unpack(Assembler asm, int rows, int last, int halves, int quads)
    {
        asm.Vpunpcklbw(halves, rows, rows + 1);
        asm.Vpunpcklbw(halves + 1, rows + 2, last);
        asm.Vpunpckhbw(halves + 2, rows, rows + 1);
        asm.Vpunpckhbw(halves + 3, rows + 2, last);
        for (int half = 0; half < 2; half++)
        {
            asm.Vpunpcklwd(quads + 2 * half, halves + 2 * half, halves + 2 * half + 1);
            asm.Vpunpckhwd(quads + 2 * half + 1, halves + 2 * half, halves + 2 * half + 1);
        }
    }
}
