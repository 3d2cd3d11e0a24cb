using TorchQuant.Kernels.Generated;
using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Benchmarks.Limits;

/// <summary>
/// Machine code that does nothing but vpdpbusd on 512 bits, on registers that both calling conventions leave to the callee: 18 sums, more than enough to hide the latency
/// of the instruction. As a function: void (nint turns).
/// </summary>
internal static class PeakLoop
{
    private const int Left = 28, Right = 29;

    private static readonly int[] s_sums = [0, 1, 2, 3, 4, 5, .. Enumerable.Range(16, 12)];

    /// <summary>Multiply-adds of one turn: 64 for each instruction.</summary>
    public static double MultiplyAddsPerTurn => 64.0 * s_sums.Length;

    public static byte[] Code(bool isWindows)
    {
        var asm = new Assembler();
        Gpr turns = isWindows ? Rcx : Rdi;
        foreach (int register in s_sums.Append(Left).Append(Right))
            asm.Vpxord(register, register, register);
        asm.Align(64);
        int start = asm.Position;
        foreach (int sum in s_sums)
            asm.Vpdpbusd(sum, Left, Right);
        asm.Sub(turns, 1);
        asm.Jump(Assembler.Condition.NotEqual, start);
        asm.Vzeroupper();
        asm.Ret();
        return asm.Code.ToArray();
    }
}
