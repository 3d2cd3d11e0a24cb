using System.Runtime.InteropServices;
using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>The generated depthwise kernels of any size: what they leave as it was, and that both calling conventions compute the same. What they compute is tested with the convolutions.</summary>
public unsafe class DepthwiseOutputsCodeTests
{
    private const string NoVnni = "the processor has no 512-bit VNNI, or memory cannot be made executable";
    private const int Vectors = 4, Taps = 3, Groups = 2, TapSkip = DepthwiseColumnsCode.QuadsBytes, Columns = 20, Blocks = 2, OutputColumn = 70, OutputRow = 700;
    private const int WeightsRow = Taps * Groups * DepthwiseTerms.GroupWeights;

    public static bool IsSupportedOnSystemV => Avx512VnniMicroKernel.IsSupported && !OperatingSystem.IsWindows();

    private static IEnumerable<(int Rows, int Outputs)> Forms =>
        from rows in Enumerable.Range(1, DepthwiseOutputsCode.MaxRows)
        from outputs in new[] { 1, DepthwiseOutputsCode.BlockOutputs }
        select (rows, outputs);

    [Fact]
    public void Both_calling_conventions_disassemble_to_valid_instructions_that_leave_other_registers_alone()
    {
        foreach (bool isWindows in new[] { false, true })
        {
            foreach ((int rows, int outputs) in Forms)
            {
                Instruction[] code = [.. AssemblerTests.Decode(Of(asm => DepthwiseOutputsCode.Append(asm, rows, outputs, isWindows)))];
                Assert.Equal(Vectors * rows * outputs, code.Count(i => i.Mnemonic == Mnemonic.Vpdpbusd));
                AssertLeavesOthersAlone(code, [Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.RAX, Register.R8, Register.R9, Register.R10, Register.R11, Register.RSP]);
            }

            Instruction[] columns = [.. AssemblerTests.Decode(Of(asm => DepthwiseColumnsCode.Append(asm, isWindows)))];
            Assert.Equal((Vectors, Vectors), (columns.Count(i => i.Mnemonic is Mnemonic.Vpunpcklwd or Mnemonic.Vpunpckhwd), columns.Count(i => i.Mnemonic is Mnemonic.Vpunpcklbw or Mnemonic.Vpunpckhbw)));
            AssertLeavesOthersAlone(columns, [Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.RAX, Register.R8, Register.R9, Register.RSP]);
        }
    }

    /// <summary>A function of this machine's convention calls the code as Windows would, with known values in the registers that a callee must keep.</summary>
    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void The_forms_for_Windows_compute_the_same_and_keep_the_registers_of_their_caller()
    {
        var call = new WindowsCall();
        foreach ((int rows, int outputs) in Forms)
        {
            var native = (delegate* unmanaged<void*, void>)Place(asm => DepthwiseOutputsCode.Append(asm, rows, outputs, isWindows: false));
            byte[] expected = Run(outputs, work => native(work));
            byte* windows = Place(asm => DepthwiseOutputsCode.Append(asm, rows, outputs, isWindows: true));
            Assert.Equal(expected, Run(outputs, work => call.Run(windows, [(nint)work])));
            Assert.True(expected.Distinct().Count() > 20);
        }

        var unpack = (delegate* unmanaged<void*, void>)Place(asm => DepthwiseColumnsCode.Append(asm, isWindows: false));
        byte* unpackOnWindows = Place(asm => DepthwiseColumnsCode.Append(asm, isWindows: true));
        Assert.Equal(Unpack(work => unpack(work)), Unpack(work => call.Run(unpackOnWindows, [(nint)work])));
    }

    private delegate void Call(void* work);

    /// <summary>Runs with random quads and weights; the rest of the output stays 0x5A, which is compared too.</summary>
    private static byte[] Run(int outputs, Call call)
    {
        int quadsBytes = Columns * Groups * DepthwiseColumnsCode.QuadsBytes, termBytes = DepthwiseTerms.Weights + DepthwiseOutputsCode.MaxRows * WeightsRow;
        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(quadsBytes + termBytes), 64), terms = memory + quadsBytes;
        new Random(outputs).NextBytes(new Span<byte>(memory, quadsBytes + termBytes));
        DepthwiseCodeTests.FillTerms(terms);
        byte[] output = new byte[2 * OutputRow];
        Array.Fill(output, (byte)0x5A);
        fixed (byte* target = output)
        {
            var work = new DepthwiseOutputs
            {
                Quads = memory,
                QuadsOutput = Groups * DepthwiseColumnsCode.QuadsBytes,
                Weights = terms + DepthwiseTerms.Weights,
                WeightsRow = WeightsRow,
                Taps = Taps,
                Groups = Groups,
                TapSkip = TapSkip,
                Output = target,
                OutputRow = OutputRow,
                OutputColumn = OutputColumn,
                Count = Blocks,
                Terms = terms,
            };
            call(&work);
            Assert.Equal((Blocks * outputs * OutputColumn, 0), (work.Output - target, work.Count));
        }

        NativeMemory.AlignedFree(memory);
        return output;
    }

    private static byte[] Unpack(Call call)
    {
        const int Count = 5, InputRow = Count * DepthwiseCode.Channels, QuadsColumn = DepthwiseColumnsCode.QuadsBytes + 64;
        byte[] input = new byte[PackedWeights.GroupDepth * InputRow], quads = new byte[Count * QuadsColumn];
        new Random(1).NextBytes(input);
        fixed (byte* source = input, target = quads)
        {
            var work = new DepthwiseColumns { Input = source, InputRow = InputRow, Quads = target, QuadsColumn = QuadsColumn, Count = Count };
            call(&work);
        }

        // The first channels come first, four rows of each.
        Assert.Equal([input[0], input[InputRow], input[2 * InputRow], input[3 * InputRow], input[1]], quads[..5]);
        return quads;
    }

    private static void AssertLeavesOthersAlone(Instruction[] code, Register[] allowed)
    {
        Assert.DoesNotContain(code, i => i.IsInvalid);
        Assert.Equal(Mnemonic.Ret, code[^1].Mnemonic);
        var factory = new InstructionInfoFactory();
        Register[] written =
        [
            .. code.SelectMany(i => factory.GetInfo(i).GetUsedRegisters().ToArray()).Where(u => u.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.ReadCondWrite)
                .Select(u => u.Register.GetFullRegister()).Where(r => r.IsGPR64()).Distinct(),
        ];
        Assert.Empty(written.Except(allowed));
    }

    private static byte[] Of(Action<Assembler> append)
    {
        var asm = new Assembler();
        append(asm);
        return asm.Code.ToArray();
    }

    private static byte* Place(Action<Assembler> append) => ExecutableMemory.TryPlace(Of(append));
}
