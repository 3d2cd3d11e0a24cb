using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>A function of System V's convention that calls code as Windows would, with known values in the registers that a callee must keep.</summary>
internal sealed unsafe class WindowsCall
{
    private const int XmmBytes = 10 * 16, GprCount = 6, KeptBytes = XmmBytes + GprCount * sizeof(long), MostArguments = 5;

    private readonly delegate* unmanaged<void*, nint*, byte*, void> _thunk = (delegate* unmanaged<void*, nint*, byte*, void>)ExecutableMemory.TryPlace(Thunk());

    /// <summary>Calls the code with up to five arguments and checks what it kept.</summary>
    public void Run(byte* code, ReadOnlySpan<nint> arguments)
    {
        byte* kept = stackalloc byte[KeptBytes];
        nint* passed = stackalloc nint[MostArguments];
        arguments.CopyTo(new Span<nint>(passed, MostArguments));
        for (int i = 0; i < XmmBytes; i++)
            kept[i] = (byte)(i * 7 + arguments.Length);
        _thunk(code, passed, kept);
        for (int i = 0; i < XmmBytes; i++)
            Assert.Equal((byte)(i * 7 + arguments.Length), kept[i]);
        Assert.Equal([.. Enumerable.Range(0, GprCount).Select(GprValue)], new ReadOnlySpan<long>(kept + XmmBytes, GprCount));
    }

    /// <summary>void (code, arguments[5], kept): fills xmm6..15, rdi, rsi and r12..r15, calls code(arguments...) as on Windows, and stores them again.</summary>
    private static byte[] Thunk()
    {
        var c = new Iced.Intel.Assembler(64);
        c.push(rbx);
        AssemblerRegister64[] gprs = [rdi, rsi, r12, r13, r14, r15];
        foreach (AssemblerRegister64 gpr in gprs[2..])
            c.push(gpr);
        c.mov(rbx, rdx);
        c.mov(rax, rdi);
        c.mov(r10, rsi);
        AssemblerRegisterXMM[] saved = [xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];
        for (int i = 0; i < saved.Length; i++)
            c.movups(saved[i], __[rbx + i * 16]);
        c.sub(rsp, 48);
        c.mov(rcx, __[r10]);
        c.mov(rdx, __[r10 + 8]);
        c.mov(r8, __[r10 + 16]);
        c.mov(r9, __[r10 + 24]);
        c.mov(r11, __[r10 + 32]);
        c.mov(__[rsp + 32], r11);
        for (int i = 0; i < GprCount; i++)
            c.mov(gprs[i], GprValue(i));
        c.call(rax);
        for (int i = 0; i < saved.Length; i++)
            c.movups(__[rbx + i * 16], saved[i]);
        for (int i = 0; i < GprCount; i++)
            c.mov(__[rbx + XmmBytes + i * sizeof(long)], gprs[i]);
        c.add(rsp, 48);
        foreach (AssemblerRegister64 gpr in gprs[2..].Reverse())
            c.pop(gpr);
        c.pop(rbx);
        c.ret();
        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    private static long GprValue(int index) => 0x1122334455667788 + index * 0x0101010101010101;
}
