using System.Runtime.InteropServices;
using TorchQuant.Kernels.Generated;
using Xunit;

namespace TorchQuant.Kernels.Tests.Generated;

/// <summary>The generated functions with float results: every form against the epilogue in plain arithmetic. Running them needs a processor with 512-bit VNNI.</summary>
public unsafe class FloatTileCodeTests
{
    private const string NoVnni = "the processor has no 512-bit VNNI, or memory cannot be made executable";

    public static bool IsSupported => Avx512VnniMicroKernel.IsSupported;

    public static bool IsSupportedOnSystemV => IsSupported && !OperatingSystem.IsWindows();

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupported))]
    public void Every_form_gives_the_numbers_of_the_epilogue_down_the_rows_and_along_the_panels()
    {
        foreach (FloatTileFunction form in FloatTileFunction.All)
        {
            byte* code = ExecutableMemory.TryPlace(form.Code(OperatingSystem.IsWindows()));
            foreach (int groups in new[] { 1, 2, 3, 4, 5, 11, 40 })
            {
                int columns = form.IsMasked ? form.MostColumns - groups % 16 : form.MostColumns;
                Check(form, groups, count: 1 + groups % 3, columns, isAlongPanels: false, tiles => ((delegate* unmanaged<FloatTiles*, void>)code)((FloatTiles*)tiles));
                if (columns == PackedWeights.PanelColumns)
                    Check(form, groups, count: 1 + groups % 3, columns, isAlongPanels: true, tiles => ((delegate* unmanaged<FloatTiles*, void>)code)((FloatTiles*)tiles));
            }
        }
    }

    [Fact(Skip = NoVnni, SkipUnless = nameof(IsSupportedOnSystemV))]
    public void The_forms_for_Windows_give_the_same_and_keep_the_registers_of_their_caller()
    {
        var windows = new WindowsCall();
        foreach (FloatTileFunction form in FloatTileFunction.All)
        {
            byte* code = ExecutableMemory.TryPlace(form.Code(isWindows: true));
            Check(form, groups: 9, count: 2, form.IsMasked ? form.MostColumns - 3 : form.MostColumns, isAlongPanels: false, tiles => windows.Run(code, [tiles]));
        }
    }

    /// <summary>With a bias or without, added to what was there or not, with ReLU or not.</summary>
    private static void Check(FloatTileFunction form, int groups, int count, int columns, bool isAlongPanels, Action<nint> run)
    {
        for (int options = 0; options < 8; options++)
            Check(form, groups, count, columns, isAlongPanels, (options & 1) != 0, (options & 2) != 0, (options & 4) != 0, run);
    }

    private static void Check(FloatTileFunction form, int groups, int count, int columns, bool isAlongPanels, bool hasBias, bool accumulate, bool relu, Action<nint> run)
    {
        int k = groups * PackedWeights.GroupDepth, rows = isAlongPanels ? form.Rows : form.Rows * count, n = isAlongPanels ? columns * count : columns, seed = rows * 31 + groups * 7 + columns;
        PackedWeights weights = Generators.Weights(n, k, seed, seed % 2 == 0 ? Scheme.PerTensorSymmetric : Scheme.PerChannelSymmetric).Pack();
        byte[] a = Generators.Activations(rows * k, seed + 1);
        float[] bias = Generators.Floats(n + PackedWeights.PanelColumns, seed + 2), none = [.. Enumerable.Repeat(relu ? 0f : -0f, PackedWeights.PanelColumns)];
        float[] expected = Generators.Floats(rows * (n + form.Gap), seed + 3);
        var tiles = (FloatTiles*)NativeMemory.AlignedAlloc((nuint)sizeof(FloatTiles), 64);
        float* output = (float*)NativeMemory.AlignedAlloc((nuint)expected.Length * sizeof(float), 64);
        var found = new Span<float>(output, expected.Length);
        expected.CopyTo(found);
        fixed (byte* codes = a)
        fixed (float* wanted = expected, biases = bias, noBias = none)
        {
            var job = new GemmJob(weights, codes, k, rows, new QParams(0.02f, 100 + seed % 50))
            {
                Kind = GemmOutput.Float,
                Output = wanted,
                OutputStride = n + form.Gap,
                Bias = hasBias ? biases : null,
                Accumulate = accumulate,
                Relu = relu,
            };
            ApplyEpilogue(in job, groups);
            *tiles = new FloatTiles
            {
                ColumnSums = weights.ColumnSums,
                ColumnScales = weights.ColumnScales,
                Biases = hasBias ? biases : noBias,
                SumStep = isAlongPanels ? PackedWeights.PanelColumns * sizeof(float) : 0,
                ScaleStep = isAlongPanels ? PackedWeights.PanelColumns * sizeof(float) : 0,
                BiasStep = isAlongPanels && hasBias ? PackedWeights.PanelColumns * sizeof(float) : 0,
                A = codes,
                AStep = isAlongPanels ? 0 : form.Rows * k,
                Stride = k,
                Panel = weights.Panels,
                PanelStep = isAlongPanels ? groups * PackedWeights.GroupBytes : 0,
                Groups = groups,
                Output = output,
                OutputStep = (isAlongPanels ? PackedWeights.PanelColumns : form.Rows * (n + form.Gap)) * sizeof(float),
                OutputStride = (n + form.Gap) * sizeof(float),
                Count = count,
                Accumulate = accumulate ? 1 : 0,
                Scale = job.Activation.Scale,
                NegatedZeroPoint = -job.Activation.ZeroPoint,
                Floor = relu ? 0 : float.NegativeInfinity,
                FirstColumns = (1u << Math.Min(columns, 16)) - 1,
                Ahead = groups * PackedWeights.GroupBytes,
                LaterAhead = 0,
                LastColumns = (1u << Math.Max(columns - 16, 0)) - 1,
            };
            run((nint)tiles);
            Assert.Equal(isAlongPanels ? (nint)codes : (nint)(codes + a.Length), (nint)tiles->A);
            Assert.Equal(0, tiles->Count);
            Assert.Equal(form.Form >= FloatTileForm.Ahead ? 0 : groups * PackedWeights.GroupBytes, tiles->Ahead);
        }

        Assert.Equal(MemoryMarshal.AsBytes(expected.AsSpan()), MemoryMarshal.AsBytes(found));
        NativeMemory.AlignedFree(output);
        NativeMemory.AlignedFree(tiles);
    }

    private static void ApplyEpilogue(ref readonly GemmJob job, int groups)
    {
        int[] sums = new int[job.M * PackedWeights.PanelColumns];
        fixed (int* tile = sums)
        {
            for (int column = 0; column < job.N; column += PackedWeights.PanelColumns)
            {
                sbyte* panel = job.Panels + column / PackedWeights.PanelColumns * groups * PackedWeights.GroupBytes;
                for (int row = 0; row < job.M; row++)
                    ScalarMicroKernel.Run(1, job.A + row * job.Stride, job.Stride, panel, groups, tile + row * PackedWeights.PanelColumns);
                GemmEpilogue<ScalarLanes, float, int>.Apply(in job, tile, 0, job.M, column, Math.Min(PackedWeights.PanelColumns, job.N - column));
            }
        }
    }
}
