using System.Runtime.InteropServices;
using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>Orders of tiles and ways of writing that only large results have, by the kernel that gives floats itself.</summary>
public unsafe class FloatDriverTests
{
    private const int Samples = 4000;

    public static bool IsSupported => Avx512VnniMicroKernel.IsSupported;

    /// <summary>Deep and shallow products, which go through their tiles in different orders; several blocks of rows and groups of panels; a last panel that is not full; results that fill pages.</summary>
    [Theory(Skip = "no kernel of this machine gives floats itself", SkipUnless = nameof(IsSupported))]
    [InlineData(257, 4096, 1200)]
    [InlineData(130, 8208, 1172)]
    [InlineData(1025, 4096, 36)]
    [InlineData(530, 8210, 60)]
    [InlineData(600, 500, 1024)]
    public void Large_results_equal_the_reference_wherever_they_begin(int m, int n, int k)
    {
        Weights weights = Generators.Weights(n, k, seed: m, Scheme.PerChannelSymmetric);
        PackedWeights packed = weights.Pack();
        byte[] a = Generators.Activations(m * k, seed: n);
        float[] bias = Generators.Floats(n, seed: k);
        var random = new Random(m + n);
        (int Row, int Column)[] samples = [.. Enumerable.Range(0, Samples).Select(_ => (random.Next(m), random.Next(n))), (m - 1, n - 1)];
        float[] expected = [.. samples.Select(at => Reference.ToFloat(Sum(at.Row, at.Column), new QParams(0.1f, 7), packed.Scales[at.Column], bias[at.Column], null, relu: false))];
        nuint length = (nuint)m * (nuint)n;
        float* memory = (float*)NativeMemory.AlignedAlloc((length + 32) * sizeof(float), 64);
        foreach (int start in new[] { 16, 3 })
        {
            foreach (int threads in new[] { 1, 2 })
            {
                new Span<float>(memory, (int)length + 32).Fill(float.NaN);
                var output = new Span<float>(memory + start, (int)length);
                Int8Gemm.MultiplyToFloat(Isa.Available[0], a, m, new QParams(0.1f, 7), packed, bias, output, relu: false, accumulate: false, threads);
                Assert.True(float.IsNaN(memory[start - 1]) && float.IsNaN(memory[start + (nint)length]));
                Assert.False(output.Contains(float.NaN));
                for (int i = 0; i < samples.Length; i++)
                    Assert.Equal(expected[i], output[samples[i].Row * n + samples[i].Column]);
            }
        }

        NativeMemory.AlignedFree(memory);

        long Sum(int row, int column) => Enumerable.Range(0, k).Sum(i => (long)(a[row * k + i] - 7) * weights.Codes[column * k + i]);
    }
}
