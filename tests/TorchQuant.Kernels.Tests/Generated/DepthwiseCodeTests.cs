using System.Runtime.InteropServices;
using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>The generated depthwise kernels: what they leave as it was, and that both calling conventions compute the same. What they compute is tested with the convolutions.</summary>
public unsafe class DepthwiseCodeTests
{
    private const string NoVnni = "the processor has no 512-bit VNNI, or memory cannot be made executable";
    private const int Count = 5, OutputColumn = 70, OutputRow = 400, OutputBytes = 2 * OutputRow;
    private const int TermBytes = DepthwiseTerms.Weights + DepthwiseCode.MaxRows * DepthwiseCode.Taps * DepthwiseTerms.GroupWeights;

    public static bool IsSupportedOnSystemV => Avx512VnniMicroKernel.IsSupported && !OperatingSystem.IsWindows();

    private static IEnumerable<(int Rows, int Stride, int InputRows)> Forms =>
        from rows in Enumerable.Range(1, DepthwiseCode.MaxRows)
        from stride in Enumerable.Range(1, DepthwiseCode.MaxStride)
        from inputRows in new[] { DepthwiseCode.LeastInputRows, DepthwiseCode.MostInputRows }
        select (rows, stride, inputRows);

    [Fact]
    public void Both_calling_conventions_disassemble_to_valid_instructions_that_leave_other_registers_alone()
    {
        foreach ((int rows, int stride, int inputRows) in Forms)
        {
            foreach (bool isWindows in new[] { false, true })
            {
                Instruction[] code = [.. AssemblerTests.Decode(Of(rows, stride, inputRows, isWindows))];
                Assert.DoesNotContain(code, i => i.IsInvalid);
                Assert.Equal(Mnemonic.Ret, code[^1].Mnemonic);
                Assert.Equal(DepthwiseCode.Taps * 4 * DepthwiseCode.Taps * rows, code.Count(i => i.Mnemonic == Mnemonic.Vpdpbusd));
                var factory = new InstructionInfoFactory();
                Register[] written =
                [
                    .. code.SelectMany(i => factory.GetInfo(i).GetUsedRegisters().ToArray()).Where(u => u.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.ReadCondWrite)
                        .Select(u => u.Register.GetFullRegister()).Where(r => r.IsGPR64()).Distinct(),
                ];
                Register[] allowed = [Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.RAX, Register.R9, Register.R10, Register.R11, Register.RSP];
                Assert.Empty(written.Except(allowed));
            }
        }
    }

    /// <summary>A function of this machine's convention calls the code as Windows would, with known values in the registers that a callee must keep.</summary>
    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void The_form_for_Windows_computes_the_same_and_keeps_the_registers_of_its_caller()
    {
        var call = new WindowsCall();
        foreach ((int rows, int stride, int inputRows) in Forms)
        {
            var native = (delegate* unmanaged<void*, void>)ExecutableMemory.TryPlace(Of(rows, stride, inputRows, isWindows: false));
            byte[] expected = Run(rows * 10 + stride, row => native(row));
            byte* windows = ExecutableMemory.TryPlace(Of(rows, stride, inputRows, isWindows: true));
            byte[] found = Run(rows * 10 + stride, row => call.Run(windows, [(nint)row]));
            Assert.Equal(expected, found);
            Assert.True(expected.Distinct().Count() > 20);
        }
    }

    private delegate void Call(void* row);

    /// <summary>Runs with random codes and weights; the rest of the output stays 0x5A, which is compared too.</summary>
    private static byte[] Run(int seed, Call call)
    {
        var random = new Random(seed);
        int inputRow = ((Count - 1) * DepthwiseCode.MaxStride + DepthwiseCode.Taps) * DepthwiseCode.Channels, inputBytes = inputRow * DepthwiseCode.MostInputRows;
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(inputBytes + TermBytes), 64), terms = memory + inputBytes;
        random.NextBytes(new Span<byte>(memory, inputBytes + TermBytes));
        FillTerms(terms);
        byte[] output = new byte[OutputBytes];
        Array.Fill(output, (byte)0x5A);
        fixed (byte* target = output)
        {
            var row = new DepthwiseRow { Input = memory, InputRow = inputRow, Output = target, OutputRow = OutputRow, OutputColumn = OutputColumn, Count = Count, Terms = terms };
            call(&row);
        }

        NativeMemory.AlignedFree(memory);
        return output;
    }

    /// <summary>What is the same for all channels, and sums, biases and multipliers that spread the codes.</summary>
    internal static void FillTerms(byte* terms)
    {
        new Span<int>(terms + DepthwiseTerms.Sums, DepthwiseCode.Channels).Fill(-1000);
        new Span<float>(terms + DepthwiseTerms.Biases, DepthwiseCode.Channels).Fill(17.5f);
        new Span<float>(terms + DepthwiseTerms.Multipliers, DepthwiseCode.Channels).Fill(0.002f);
        (*(float*)(terms + DepthwiseTerms.BiasFactor), *(float*)(terms + DepthwiseTerms.Highest)) = (2, 120);
        (*(int*)(terms + DepthwiseTerms.ZeroPoint), *(int*)(terms + DepthwiseTerms.Lowest)) = (128 * 0x00010001, 9 * 0x01010101);
    }

    private static byte[] Of(int rows, int stride, int inputRows, bool isWindows)
    {
        var asm = new Assembler();
        DepthwiseCode.Append(asm, rows, stride, inputRows, isWindows);
        return asm.Code.ToArray();
    }
}
