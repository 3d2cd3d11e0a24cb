using System.Runtime.InteropServices;
using TorchQuant.Kernels.Generated;
using Xunit;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>The generated functions that requantize: every form against the epilogue in plain arithmetic. Running them needs a processor with 512-bit VNNI.</summary>
public unsafe class ByteTileCodeTests
{
    private const string NoVnni = "the processor has no 512-bit VNNI, or memory cannot be made executable";
    private const int Canaries = 64;

    public static bool IsSupported => Avx512VnniMicroKernel.IsSupported;

    public static bool IsSupportedOnSystemV => IsSupported && !OperatingSystem.IsWindows();

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupported))]
    public void Every_form_gives_the_codes_of_the_epilogue()
    {
        foreach (ByteTileForm form in ByteTileForm.All)
        {
            byte* code = ExecutableMemory.TryPlace(form.Code(OperatingSystem.IsWindows()));
            for (int count = 1; count <= 4; count++)
            {
                foreach (int more in new[] { 0, 1, 2, 3, 9 })
                    Check(form, form.LeastGroups + more, count, form.MostColumns - (count * 5 + more) % 16, tiles => ((delegate* unmanaged<ByteTiles*, void>)code)((ByteTiles*)tiles));
            }
        }
    }

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void The_forms_for_Windows_give_the_same_and_keep_the_registers_of_their_caller()
    {
        var windows = new WindowsCall();
        foreach (ByteTileForm form in ByteTileForm.All)
        {
            byte* code = ExecutableMemory.TryPlace(form.Code(isWindows: true));
            Check(form, form.LeastGroups + 3, count: 3, form.MostColumns - 3, tiles => windows.Run(code, [tiles]));
        }
    }

    private static void Check(ByteTileForm form, int groups, int count, int columns, Action<nint> run)
    {
        int k = groups * PackedWeights.GroupDepth, rows = form.Rows * count, seed = rows * 31 + groups * 7 + columns;
        var qparams = new QParams(0.02f, 100 + seed % 50);
        Scheme scheme = seed % 2 == 0 && !form.IsSimple ? Scheme.PerTensorSymmetric : Scheme.PerChannelSymmetric;
        PackedWeights weights = Generators.Weights(columns, k, seed, scheme).Pack();
        PlacedRows? placed = form.ArePlaced ? new PlacedRows(form.Rows, count, groups, seed) : null;
        byte[] a = placed?.Gathered ?? Generators.Activations(rows * k, seed + 1), expected = new byte[rows * (columns + Canaries)], found = new byte[expected.Length];
        float[] bias = Generators.Floats(columns, seed + 2);
        var computed = new QParams(0.5f, 3 + seed % 200);
        // No multiple of seven: sums that leave int32 are not for generated code.
        ResidualCase residual = ResidualCase.Create(expected.Length, computed, seed % 7 == 0 ? seed + 1 : seed);
        residual = form.IsSimple ? residual with { Sum = residual.Sum with { Lowest = 0, Highest = 255 }, Relu = false } : residual;
        Array.Fill(expected, (byte)77);
        Array.Fill(found, (byte)77);
        var memory = (byte*)NativeMemory.AlignedAlloc((nuint)(sizeof(ByteTiles) + sizeof(ByteTerms) + 64), 64);
        var terms = (ByteTerms*)(memory + (sizeof(ByteTiles) + 63) / 64 * 64);
        fixed (byte* codes = a, wanted = expected, output = found, others = residual.Codes)
        fixed (float* biases = bias)
        {
            var job = new GemmJob(weights, codes, k, rows, qparams)
            {
                Kind = GemmOutput.Byte,
                Output = wanted,
                OutputStride = columns + Canaries,
                Bias = biases,
                Fused = form.IsSimple ? FusedActivation.None : (FusedActivation)(seed % 3),
                Requantized = computed,
            };
            ByteEpilogue<ScalarLanes, float, int>.Prepare(in job, 0, columns, terms);
            Assert.True(terms->IsBounded);
            int[] sums = new int[rows * PackedWeights.PanelColumns];
            fixed (int* tile = sums)
            {
                for (int row = 0; row < rows; row++)
                    ScalarMicroKernel.Run(1, codes + row * k, k, weights.Panels, groups, tile + row * PackedWeights.PanelColumns);
                ByteEpilogue<ScalarLanes, float, int>.Apply(in job, terms, tile, 0, rows, 0, columns);
            }

            if (form.HasResidual)
            {
                byte[] added = residual.Added(expected);
                for (int i = 0; i < expected.Length; i++)
                    expected[i] = i % (columns + Canaries) < columns ? added[i] : expected[i];
                job.Residual = ResidualSum.Of(residual.Residual, others, output, computed);
            }

            var tiles = (ByteTiles*)memory;
            tiles->Set(in job);
            if (form.HasResidual)
                tiles->AddResidual(in job);
            Assert.True(tiles->IsSimple || !form.IsSimple);
            tiles->Terms = terms;
            tiles->A = codes;
            tiles->Panel = weights.Panels;
            tiles->Output = output;
            (tiles->Step, tiles->Count, tiles->Columns) = (form.Rows * k, count, uint.MaxValue >> (32 - columns));
            tiles->LastColumns = tiles->Columns >> 16;
            tiles->Fetch(output, count);
            Assert.Equal((nint)output, (nint)tiles->Panel + tiles->Ahead);
            nint ahead = tiles->Ahead;
            if (placed is not null)
            {
                placed.Run(tiles, run, columns + Canaries);
            }
            else
            {
                run((nint)tiles);
                Assert.Equal((nint)(codes + a.Length), (nint)tiles->A);
                Assert.Equal((nint)(output + found.Length), (nint)tiles->Output);
            }

            // A cache line for each group of each tile.
            Assert.Equal(ahead + count * groups * 64, tiles->Ahead);
        }

        NativeMemory.AlignedFree(memory);
        Assert.Equal(expected, found);
    }
}
