using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8GemmTests
{
    // Two of the largest tiles (14 rows, 32 columns, 4 x 4 deep) and one more.
    private const int MostRows = 29, MostColumns = 65, MostDepth = 33;

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Fact]
    public void Every_kernel_equals_the_reference_for_every_pair_of_sizes_to_two_tiles_and_one()
    {
        for (int m = 1; m <= MostRows; m++)
            for (int n = 1; n <= MostColumns; n++)
                AssertEveryKernel(m, n, Mix(m, n, MostDepth));
        for (int m = 1; m <= MostRows; m++)
            for (int k = 1; k <= MostDepth; k++)
                AssertEveryKernel(m, Mix(m, k, MostColumns), k);
        for (int n = 1; n <= MostColumns; n++)
            for (int k = 1; k <= MostDepth; k++)
                AssertEveryKernel(Mix(n, k, MostRows), n, k);
    }

    [Property(MaxTest = 150, EndSize = 10_000)]
    public void Every_kernel_equals_the_reference_bit_for_bit(NonNegativeInt m, NonNegativeInt n, NonNegativeInt k, Scheme scheme, int seed)
    {
        GemmCase one = GemmCase.Create(m.Get % 40 + 1, n.Get % 200 + 1, k.Get % 300 + 1, seed, scheme);
        foreach (Isa isa in Isa.Available)
            one.AssertEqualsReference(isa, threads: 1 + Math.Abs(seed % 3));
    }

    [Property(MaxTest = 100, EndSize = 10_000)]
    public void Codes_of_seven_bits_equal_the_reference(NonNegativeInt m, NonNegativeInt n, NonNegativeInt k, Scheme scheme, int seed)
    {
        GemmCase one = GemmCase.Create(m.Get % 40 + 1, n.Get % 100 + 1, k.Get % 300 + 1, seed, scheme, bits: 127);
        Assert.All(one.A, code => Assert.InRange(code, 0, 127));
        foreach (Isa isa in Isa.Available)
            one.AssertEqualsReference(isa, threads: 1);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void One_code_of_eight_bits_anywhere_among_those_of_seven_is_seen(Isa isa)
    {
        // Weights and codes with which two products leave int16 wherever the one is.
        const int M = 9, N = 33, K = 70;
        sbyte[] weights = new sbyte[N * K];
        Array.Fill(weights, sbyte.MinValue);
        PackedWeights packed = PackedWeights.Pack(weights, N, K, [1f]);
        int[] sums = new int[M * N];
        for (int at = -1; at < M * K; at++)
        {
            byte[] a = new byte[M * K];
            Array.Fill(a, (byte)127);
            if (at >= 0)
                a[at] = byte.MaxValue;
            Int8Gemm.MultiplyToInt32(isa, a, M, 0, packed, sums, threads: 1);
            for (int i = 0; i < sums.Length; i++)
                Assert.Equal(-128 * (127 * K + (at >= 0 && at / K == i / N ? 128 : 0)), sums[i]);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void More_rows_than_a_block_holds_equal_the_reference(Isa isa)
    {
        GemmCase.Create(m: 75, n: 40, k: 4096, seed: 5, Scheme.PerChannelAffine).AssertEqualsReference(isa, threads: 1);
        GemmCase.Create(m: 75, n: 40, k: 4096, seed: 6, Scheme.PerTensorSymmetric).AssertEqualsReference(isa, threads: 2);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Weights_that_the_cache_does_not_hold_give_the_reference_from_either_end(Isa isa)
    {
        // 2 MB of weights, a panel that is not full, and fewer rows than a tile or more; every second call goes through the panels backwards.
        foreach (int m in new[] { 1, 3, 5, 17 })
        {
            GemmCase one = GemmCase.Create(m, n: 2025, k: 1024, seed: m, m == 3 ? Scheme.PerTensorSymmetric : Scheme.PerChannelSymmetric);
            for (int call = 0; call < 3; call++)
                one.AssertEqualsReference(isa, threads: 1 + call % 2);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Sums_at_the_edge_of_int32_are_exact(Isa isa)
    {
        // 255 * 128 * 65,793 is the last multiple that fits; two such products in a row leave int16 at once.
        const int K = 65_793;
        byte[] a = new byte[2 * K];
        Array.Fill(a, byte.MaxValue);
        sbyte[] weights = new sbyte[2 * K];
        Array.Fill(weights, sbyte.MinValue, 0, K);
        Array.Fill(weights, sbyte.MaxValue, K, K);
        int[] sums = new int[4];
        Int8Gemm.MultiplyToInt32(isa, a, 2, 0, PackedWeights.Pack(weights, 2, K, [1f]), sums, threads: 1);
        Assert.Equal([-255 * 128 * K, 255 * 127 * K, -255 * 128 * K, 255 * 127 * K], sums);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Panels_and_blocks_without_number_equal_the_reference(Isa isa)
    {
        GemmCase.Create(m: 700, n: 300, k: 8, seed: 9, Scheme.PerChannelSymmetric).AssertEqualsReference(isa, threads: 1);
        GemmCase.Create(m: 700, n: 24, k: 40, seed: 13, Scheme.PerTensorSymmetric).AssertEqualsReference(isa, threads: 2);
        GemmCase.Create(m: 17, n: 515, k: 4096, seed: 17, Scheme.PerChannelSymmetric).AssertEqualsReference(isa, threads: 2);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Scaled_sums_beyond_int32_saturate(Isa isa)
    {
        // 255 * 127 * 16 sums, 1e6 codes for each: past int32 on both sides, in a panel and a half.
        const int K = 16, N = 48, M = 30;
        sbyte[] weights = new sbyte[N * K];
        for (int i = 0; i < weights.Length; i++)
            weights[i] = (sbyte)(i / K % 2 == 0 ? 127 : -127);
        byte[] a = new byte[M * K], output = new byte[M * N];
        Array.Fill(a, byte.MaxValue);
        foreach (float outScale in new[] { 1e-6f, 1e-3f, 1f, 1e-38f })
        {
            Int8Gemm.MultiplyToByte(isa, a, M, new QParams(1, 0), PackedWeights.Pack(weights, N, K, [1f]), [], new QParams(outScale, 77), FusedActivation.None, output, threads: 1);
            for (int i = 0; i < output.Length; i++)
                Assert.Equal(i % N % 2 == 0 ? 255 : 0, output[i]);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void The_number_of_threads_changes_no_bit(Isa isa)
    {
        foreach ((int m, int n, int k) in new[] { (1, 3000, 300), (200, 31, 300), (90, 400, 100) })
        {
            Weights weights = Generators.Weights(n, k, seed: m);
            PackedWeights packed = weights.Pack();
            byte[] a = Generators.Activations(m * k, seed: n);
            float[] bias = Generators.Floats(n, seed: k);
            float[] one = new float[m * n];
            Int8Gemm.MultiplyToFloat(isa, a, m, new QParams(0.1f, 7), packed, bias, one, relu: false, accumulate: false, threads: 1);
            for (int threads = 2; threads <= 5; threads++)
            {
                float[] several = new float[m * n];
                Int8Gemm.MultiplyToFloat(isa, a, m, new QParams(0.1f, 7), packed, bias, several, relu: false, accumulate: false, threads);
                Assert.Equal(one, several);
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void A_bias_that_is_not_a_number_gives_the_zero_point_and_an_infinite_one_saturates(Isa isa)
    {
        PackedWeights weights = PackedWeights.Pack(new sbyte[20 * 4], 20, 4, [0.5f]);
        foreach ((float bias, byte expected) in new[] { (float.NaN, (byte)9), (float.PositiveInfinity, (byte)255), (float.NegativeInfinity, (byte)0), (3e38f, (byte)255), (-3e38f, (byte)0) })
        {
            byte[] output = new byte[20];
            float[] biases = [.. Enumerable.Repeat(bias, 20)];
            Int8Gemm.MultiplyToByte(isa, new byte[4], 1, new QParams(1, 0), weights, biases, new QParams(1, 9), FusedActivation.None, output, threads: 1);
            Assert.All(output, code => Assert.Equal(expected, code));
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Float_results_of_zeros_of_either_sign_and_of_what_is_not_a_number_are_those_of_arithmetic(Isa isa)
    {
        // A scale that is lost, 1e-30 * 1e-30, makes products +0 and -0, and an infinite one, of 1e30 * 1e30, infinities and, from a sum of 0, NaN.
        const int K = 4, N = 37;
        float[] biases = [.. Enumerable.Range(0, N).Select(i => (i % 5) switch { 0 => -0f, 1 => 0f, 2 => float.NaN, 3 => float.NegativeInfinity, _ => 1.5f })];
        sbyte[] codes = [.. Enumerable.Range(0, N * K).Select(i => (sbyte)(i / K % 3 - 1))];
        foreach (float scale in new[] { 1e-30f, 1f, 1e30f })
        {
            PackedWeights weights = PackedWeights.Pack(codes, N, K, [scale]);
            foreach (int m in new[] { 1, 16 })
            {
                foreach ((bool hasBias, bool relu, float? before) in from b in new[] { false, true } from r in new[] { false, true } from a in new float?[] { null, -0f } select (b, r, a))
                {
                    byte[] a = Generators.Activations(m * K, seed: m);
                    float[] output = [.. Enumerable.Repeat(before ?? 7, m * N)];
                    Int8Gemm.MultiplyToFloat(isa, a, m, new QParams(scale, 0), weights, hasBias ? biases : [], output, relu, accumulate: before is not null, threads: 1);
                    for (int i = 0; i < output.Length; i++)
                    {
                        long sum = Enumerable.Range(0, K).Sum(k => (long)a[i / N * K + k] * codes[i % N * K + k]);
                        float expected = Reference.ToFloat(sum, new QParams(scale, 0), scale, hasBias ? biases[i % N] : null, before, relu);
                        Assert.True(float.IsNaN(expected) ? float.IsNaN(output[i]) : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(output[i]), $"{isa}: {output[i]}, expected {expected} (scale {scale}, sum {sum}, bias {biases[i % N]} {hasBias}, relu {relu}, {before})");
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Fused_activations_give_the_codes_of_their_real_numbers(Isa isa)
    {
        // 20 outputs of the one real number x, in codes of 0.05 from zero point 100: 6 is code 220.
        PackedWeights weights = PackedWeights.Pack([.. Enumerable.Repeat((sbyte)1, 20)], 20, 1, [1f]);
        byte Code(FusedActivation activation, float x)
        {
            byte[] output = new byte[20];
            Int8Gemm.MultiplyToByte(isa, [0], 1, new QParams(1, 0), weights, [.. Enumerable.Repeat(x, 20)], new QParams(0.05f, 100), activation, output, threads: 1);
            return Assert.Single(output.Distinct());
        }

        Assert.Equal([60, 100, 160, 240, 255], new[] { -2f, 0, 3, 7, 100 }.Select(x => Code(FusedActivation.None, x)));
        Assert.Equal([100, 100, 160, 240, 255], new[] { -2f, 0, 3, 7, 100 }.Select(x => Code(FusedActivation.Relu, x)));
        Assert.Equal([100, 100, 160, 220, 220], new[] { -2f, 0, 3, 7, 100 }.Select(x => Code(FusedActivation.Relu6, x)));
        // -2 * 1 / 6 = -0.33 and 1 * 4 / 6 = 0.67.
        Assert.Equal([100, 93, 100, 113, 160, 240], new[] { -4f, -2, 0, 1, 3, 7 }.Select(x => Code(FusedActivation.Hardswish, x)));
    }

    [Fact]
    public void The_public_calls_use_the_current_row_and_give_its_results()
    {
        GemmCase one = GemmCase.Create(3, 40, 10, seed: 1, Scheme.PerChannelAffine);
        PackedWeights packed = one.Weights.Pack();
        long[,] sums = Reference.Sums(one.A, 3, one.AParams.ZeroPoint, one.Weights);
        int[] output = new int[120];
        Int8Gemm.MultiplyToInt32(one.A, 3, one.AParams.ZeroPoint, packed, output);
        Assert.Equal(sums.Cast<long>(), output.Select(sum => (long)sum));

        float[] expected = new float[120], found = new float[120];
        Int8Gemm.MultiplyToFloat(Isa.Current, one.A, 3, one.AParams, packed, [], expected, relu: true, accumulate: false, threads: 1);
        Int8Gemm.MultiplyToFloat(one.A, 3, one.AParams, packed, [], found, relu: true);
        Assert.Equal(expected, found);
    }

    [Fact]
    public void No_rows_give_nothing()
    {
        PackedWeights weights = Generators.Weights(3, 5, seed: 1).Pack();
        Int8Gemm.MultiplyToInt32([], 0, 0, weights, []);
        Int8Gemm.MultiplyToFloat([], 0, new QParams(1, 0), weights, [], []);
        Int8Gemm.MultiplyToByte([], 0, new QParams(1, 0), weights, [], new QParams(1, 0), FusedActivation.None, []);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named_with_what_was_found_and_expected()
    {
        PackedWeights weights = Generators.Weights(3, 5, seed: 1).Pack();
        Assert.Contains("a has 9 elements; expected 10", Failure(() => Int8Gemm.MultiplyToInt32(new byte[9], 2, 0, weights, new int[6])));
        Assert.Contains("output has 5 elements; expected 6", Failure(() => Int8Gemm.MultiplyToInt32(new byte[10], 2, 0, weights, new int[5])));
        Assert.Contains("zero point 256; expected 0 to 255", Failure(() => Int8Gemm.MultiplyToInt32(new byte[10], 2, 256, weights, new int[6])));
        Assert.Contains("threads is 0; expected at least 1", Failure(() => Int8Gemm.MultiplyToInt32(new byte[10], 2, 0, weights, new int[6], threads: 0)));
        Assert.Contains("bias has 2 elements; expected 3", Failure(() => Int8Gemm.MultiplyToFloat(new byte[5], 1, new QParams(1, 0), weights, new float[2], new float[3])));
        Assert.Contains("aParams has the scale 0", Failure(() => Int8Gemm.MultiplyToFloat(new byte[5], 1, new QParams(0, 0), weights, [], new float[3])));
        Assert.Contains("outParams has the scale NaN", Failure(() => Int8Gemm.MultiplyToByte(new byte[5], 1, new QParams(1, 0), weights, [], new QParams(float.NaN, 0), FusedActivation.None, new byte[3])));
        Assert.Contains("outParams has the zero point -1", Failure(() => Int8Gemm.MultiplyToByte(new byte[5], 1, new QParams(1, 0), weights, [], new QParams(1, -1), FusedActivation.None, new byte[3])));
        Assert.Contains("activation is 4; expected one of None, Relu, Relu6, Hardswish", Failure(() => Int8Gemm.MultiplyToByte(new byte[5], 1, new QParams(1, 0), weights, [], new QParams(1, 0), (FusedActivation)4, new byte[3])));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;

    /// <summary>A size from 1 to <paramref name="most"/> that looks unrelated to the other two.</summary>
    private static int Mix(int x, int y, int most) => (x * 31 + y * 17) % most + 1;

    private static void AssertEveryKernel(int m, int n, int k)
    {
        int seed = (m * 101 + n) * 67 + k;
        GemmCase one = GemmCase.Create(m, n, k, seed, (Scheme)(seed % 4));
        foreach (Isa isa in Isa.Available)
            one.AssertEqualsReference(isa, threads: 1);
    }
}
