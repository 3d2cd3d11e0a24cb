using static TorchQuant.Kernels.Generated.Gpr;

namespace TorchQuant.Kernels.Generated;

/// <summary>Saves and restores what a function on 64-bit Windows must leave as it was and one of System V need not: rdi, rsi, and the low halves of xmm6 to xmm15.</summary>
internal static class WindowsFrame
{
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
