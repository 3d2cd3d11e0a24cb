using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>A function of System V's convention that calls code as Windows would, with known values in all registers that a callee must keep, and above what it may write to on the stack.</summary>
internal sealed unsafe class WindowsCall
{
    private const int XmmBytes = 10 * 16, MostArguments = 5;

    // The stack at the call: 32 bytes that belong to the callee, the fifth argument, where the caller's registers are kept, and a word that nobody may write.
    private const int FifthArgument = 32, Kept = 40, Canary = 48, StackBytes = 72;

    private static readonly AssemblerRegister64[] s_saved = [rbx, rbp, rdi, rsi, r12, r13, r14, r15];
    private static readonly AssemblerRegisterXMM[] s_savedXmm = [xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];

    private readonly delegate* unmanaged<void*, nint*, byte*, void> _thunk = (delegate* unmanaged<void*, nint*, byte*, void>)ExecutableMemory.TryPlace(Thunk());

    /// <summary>Calls the code with up to five arguments and checks what it kept.</summary>
    public void Run(byte* code, ReadOnlySpan<nint> arguments)
    {
        byte* kept = stackalloc byte[XmmBytes + (s_saved.Length + 1) * sizeof(long)];
        nint* passed = stackalloc nint[MostArguments];
        arguments.CopyTo(new Span<nint>(passed, MostArguments));
        for (int i = 0; i < XmmBytes; i++)
            kept[i] = (byte)(i * 7 + arguments.Length);
        _thunk(code, passed, kept);
        for (int i = 0; i < XmmBytes; i++)
            Assert.Equal((byte)(i * 7 + arguments.Length), kept[i]);
        for (int i = 0; i <= s_saved.Length; i++)
            Assert.Equal(Value(i), ((long*)(kept + XmmBytes))[i]);
    }

    private static long Value(int register) => 0x1122334455667788 + register;

    /// <summary>void (code, arguments[5], kept): fills xmm6..15 from kept and the other registers with their values, calls code(arguments...) as on Windows, and stores them again.</summary>
    private static byte[] Thunk()
    {
        var c = new Iced.Intel.Assembler(64);
        AssemblerRegister64[] own = [.. s_saved.Except([rdi, rsi])];
        foreach (AssemblerRegister64 register in own)
            c.push(register);
        c.sub(rsp, StackBytes);
        c.mov(__[rsp + Kept], rdx);
        for (int i = 0; i < s_savedXmm.Length; i++)
            c.movups(s_savedXmm[i], __[rdx + i * 16]);
        c.mov(rax, Value(s_saved.Length));
        c.mov(__[rsp + Canary], rax);
        c.mov(rax, rdi);
        c.mov(r10, rsi);
        c.mov(rcx, __[r10]);
        c.mov(rdx, __[r10 + 8]);
        c.mov(r8, __[r10 + 16]);
        c.mov(r9, __[r10 + 24]);
        c.mov(r11, __[r10 + 32]);
        c.mov(__[rsp + FifthArgument], r11);
        for (int i = 0; i < s_saved.Length; i++)
            c.mov(s_saved[i], Value(i));
        c.call(rax);
        c.mov(r10, __[rsp + Kept]);
        for (int i = 0; i < s_savedXmm.Length; i++)
            c.movups(__[r10 + i * 16], s_savedXmm[i]);
        for (int i = 0; i < s_saved.Length; i++)
            c.mov(__[r10 + XmmBytes + i * sizeof(long)], s_saved[i]);
        c.mov(rax, __[rsp + Canary]);
        c.mov(__[r10 + XmmBytes + s_saved.Length * sizeof(long)], rax);
        c.add(rsp, StackBytes);
        foreach (AssemblerRegister64 register in own.Reverse())
            c.pop(register);
        c.ret();
        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }
}
