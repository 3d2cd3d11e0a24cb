using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>What a function on 64-bit Windows must leave as it was, of what the generated tiles use: rdi, rsi and the low halves of xmm6 to xmm15.</summary>
internal static class WindowsFrame
{
    /// <summary>From the stack pointer after <see cref="Enter"/> to the fifth argument, which lies above the return address and 32 bytes that belong to the callee.</summary>
    public const int FifthArgument = SavedBytes + 2 * sizeof(long) + sizeof(long) + 4 * sizeof(long);

    private const int FirstSavedXmm = 6, XmmCount = 16, XmmBytes = 16, SavedBytes = (XmmCount - FirstSavedXmm) * XmmBytes;

    public static void Enter(Assembler asm)
    {
        asm.Push(Rdi);
        asm.Push(Rsi);
        asm.Sub(Rsp, SavedBytes);
        for (int i = FirstSavedXmm; i < XmmCount; i++)
            asm.StoreXmm(new Memory(Rsp, (i - FirstSavedXmm) * XmmBytes), i);
    }

    public static void Leave(Assembler asm)
    {
        for (int i = FirstSavedXmm; i < XmmCount; i++)
            asm.LoadXmm(i, new Memory(Rsp, (i - FirstSavedXmm) * XmmBytes));
        asm.Add(Rsp, SavedBytes);
        asm.Pop(Rsi);
        asm.Pop(Rdi);
    }
}
