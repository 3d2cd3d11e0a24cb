using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using static Iced.Intel.AssemblerRegisters;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>A function of System V's convention that calls code as Windows would, with known values in the registers that a callee must keep.</summary>
internal sealed unsafe class WindowsCall
{
    private const int XmmBytes = 10 * 16, KeptBytes = XmmBytes + 2 * sizeof(long), MostArguments = 5;
    private const long RdiValue = 0x1122334455667788, RsiValue = 0x0102030405060708;

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
        Assert.Equal((RdiValue, RsiValue), (((long*)(kept + XmmBytes))[0], ((long*)(kept + XmmBytes))[1]));
    }

    /// <summary>void (code, arguments[5], kept): fills xmm6..15, rdi and rsi, calls code(arguments...) as on Windows, and stores them again.</summary>
    private static byte[] Thunk()
    {
        var c = new Iced.Intel.Assembler(64);
        c.push(rbx);
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
        c.mov(rdi, RdiValue);
        c.mov(rsi, RsiValue);
        c.call(rax);
        for (int i = 0; i < saved.Length; i++)
            c.movups(__[rbx + i * 16], saved[i]);
        c.mov(__[rbx + XmmBytes], rdi);
        c.mov(__[rbx + XmmBytes + 8], rsi);
        c.add(rsp, 48);
        c.pop(rbx);
        c.ret();
        using var stream = new MemoryStream();
        c.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }
}
