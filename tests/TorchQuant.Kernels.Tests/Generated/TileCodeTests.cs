using System.Runtime.InteropServices;
using Iced.Intel;
using TorchQuant.Kernels.Generated;
using Xunit;
using Assembler = TorchQuant.Kernels.Generated.Assembler;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>The generated tiles: what they compute, and, for Windows, what they leave as it was. Running them needs a processor with 512-bit VNNI.</summary>
public unsafe class TileCodeTests
{
    private const string NoVnni = "the processor has no 512-bit VNNI, or memory cannot be made executable";

    public static bool IsSupported => Avx512VnniMicroKernel.IsSupported;

    public static bool IsSupportedOnSystemV => IsSupported && !OperatingSystem.IsWindows();

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupported))]
    public void Every_tile_equals_the_sums_in_a_loop()
    {
        for (int rows = 1; rows <= TileCode.MaxRows; rows++)
        {
            foreach (int groups in new[] { 1, 2, 3, 4, 5, 7, 8, 17, 64 })
                CheckTile(rows, groups, (a, stride, panel, tile) => Avx512VnniMicroKernel.Run(rows, a, stride, panel, groups, tile));
        }
    }

    [Fact]
    public void Both_calling_conventions_disassemble_to_valid_instructions_that_leave_other_registers_alone()
    {
        foreach (bool isWindows in new[] { false, true })
        {
            foreach (byte[] bytes in Enumerable.Range(1, TileCode.MaxRows).Select(rows => Of(rows, isWindows)).Concat(ByteTileForm.All.Select(form => form.Code(isWindows))).Concat(FloatTileFunction.All.Select(form => form.Code(isWindows))))
            {
                Instruction[] code = [.. AssemblerTests.Decode(bytes)];
                Assert.DoesNotContain(code, i => i.IsInvalid);
                Assert.Equal(Mnemonic.Ret, code[^1].Mnemonic);
                var factory = new InstructionInfoFactory();
                Register[] written =
                [
                    .. code.SelectMany(i => factory.GetInfo(i).GetUsedRegisters().ToArray()).Where(u => u.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.ReadCondWrite)
                        .Select(u => u.Register.GetFullRegister()).Where(r => r.IsGPR64()).Distinct(),
                ];
                Register[] pushed = [.. code.Where(i => i.Mnemonic == Mnemonic.Push).Select(i => i.Op0Register)], popped = [.. code.Where(i => i.Mnemonic == Mnemonic.Pop).Select(i => i.Op0Register)];
                Assert.Equal(pushed.Reverse(), popped);
                Register[] allowed = [Register.RDX, Register.RCX, Register.R8, Register.RAX, Register.R9, Register.R10, Register.R11, Register.RSP, .. isWindows ? [] : (Register[])[Register.RDI, Register.RSI], .. popped];
                Assert.Empty(written.Except(allowed));
            }
        }
    }

    [Fact]
    public void A_broadcast_serves_all_columns_of_a_panel()
    {
        for (int rows = 1; rows <= TileCode.MaxRows; rows++)
        {
            Instruction[] code = [.. AssemblerTests.Decode(Of(rows, isWindows: false))];
            Assert.Equal(2 * code.Count(i => i.Mnemonic == Mnemonic.Vpbroadcastd), code.Count(i => i.Mnemonic == Mnemonic.Vpdpbusd));
        }
    }

    /// <summary>A function of this machine's convention calls the tile as Windows would, with known values in the registers that a callee must keep.</summary>
    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void The_form_for_Windows_computes_the_same_and_keeps_the_registers_of_its_caller()
    {
        var windows = new WindowsCall();
        for (int rows = 1; rows <= TileCode.MaxRows; rows++)
        {
            byte* tileCode = ExecutableMemory.TryPlace(Of(rows, isWindows: true));
            CheckTile(rows, groups: 9, (a, stride, panel, tile) => windows.Run(tileCode, [(nint)a, stride, (nint)panel, 9, (nint)tile]));
        }
    }

    private delegate void Tile(byte* a, nint stride, sbyte* panel, int* tile);

    private static byte[] Of(int rows, bool isWindows)
    {
        var asm = new Assembler();
        TileCode.Append(asm, rows, isWindows);
        return asm.Code.ToArray();
    }

    private static void CheckTile(int rows, int groups, Tile run)
    {
        int stride = groups * 4 + 13, weights = groups * PackedWeights.GroupBytes, sums = rows * PackedWeights.PanelColumns;
        byte[] a = Generators.Activations(rows * stride, seed: rows * 100 + groups);
        sbyte* panel = (sbyte*)NativeMemory.AlignedAlloc((nuint)weights, 64);
        int* tile = (int*)NativeMemory.AlignedAlloc((nuint)(sums + 16) * sizeof(int), 64);
        var random = new Random(rows + groups);
        for (int i = 0; i < weights; i++)
            panel[i] = (sbyte)random.Next(-128, 128);
        new Span<int>(tile, sums + 16).Fill(0x5A5A5A5A);
        fixed (byte* codes = a)
            run(codes, stride, panel, tile);
        for (int r = 0; r < rows; r++)
        {
            for (int c = 0; c < PackedWeights.PanelColumns; c++)
            {
                int sum = 0;
                for (int k = 0; k < groups * 4; k++)
                    sum += a[r * stride + k] * panel[k / 4 * PackedWeights.GroupBytes + c * 4 + k % 4];
                Assert.Equal(sum, tile[r * PackedWeights.PanelColumns + c]);
            }
        }

        Assert.All(new Span<int>(tile + sums, 16).ToArray(), canary => Assert.Equal(0x5A5A5A5A, canary));
        NativeMemory.AlignedFree(panel);
        NativeMemory.AlignedFree(tile);
    }
}
