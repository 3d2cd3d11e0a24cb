using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8LinearTests
{
    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Property(MaxTest = 150, EndSize = 10_000)]
    public void Every_row_equals_the_reference_bit_for_bit(NonNegativeInt m, NonNegativeInt n, NonNegativeInt k, Scheme scheme, bool reduceRange, int seed)
    {
        (int rows, int outputs, int inputs) = (m.Get % 20 + 1, n.Get % 100 + 1, k.Get % 100 + 1);
        Weights weights = Generators.Weights(outputs, inputs, seed, scheme);
        float[] x = Generators.Floats(rows * inputs, seed + 1);
        float[]? bias = seed % 3 == 0 ? null : Generators.Floats(outputs, seed + 2);
        (bool relu, bool accumulate) = (seed % 2 == 0, seed % 5 < 2);
        QParams qparams = QParamsChooser.ForDynamic(x.Min(), x.Max(), reduceRange: reduceRange);
        byte[] codes = [.. x.Select(v => (byte)Reference.QuantizeDynamic(v, qparams))];
        long[,] sums = Reference.Sums(codes, rows, qparams.ZeroPoint, weights);
        float[] expected = new float[rows * outputs];
        for (int i = 0; i < expected.Length; i++)
            expected[i] = Reference.ToFloat(sums[i / outputs, i % outputs], qparams, weights.Scale(i % outputs), bias?[i % outputs], accumulate ? 1.25f : null, relu);

        var linear = new Int8Linear(weights.Pack(), bias, reduceRange);
        foreach (Isa isa in Isa.Available)
        {
            float[] output = [.. Enumerable.Repeat(1.25f, expected.Length + 2)];
            linear.Multiply(isa, x, rows, output.AsSpan(1, expected.Length), relu, accumulate, threads: 1 + Math.Abs(seed % 2));
            Assert.Equal([1.25f, .. expected, 1.25f], output);
        }
    }

    [Fact]
    public void Ties_fall_as_in_libtorch_where_the_zero_point_is_odd()
    {
        // Scale 1, zero point 1. What libtorch's linear_dynamic gave for the identity: the zero point is added before rounding.
        float[] x = [-1, 254, 0.5f, 1.5f, 2.5f, -0.5f, 100.5f, 101.5f], output = new float[8];
        sbyte[] identity = new sbyte[64];
        for (int i = 0; i < 8; i++)
            identity[9 * i] = 1;
        new Int8Linear(PackedWeights.Pack(identity, 8, 8, [1]), null, reduceRange: false).Multiply(x, 1, output);
        Assert.Equal([-1, 254, 1, 1, 3, -1, 101, 101], output);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public unsafe void Quantizing_activations_equals_the_reference_at_every_length(Isa isa)
    {
        for (int length = 0; length <= 67; length++)
        {
            QParams qparams = length % 2 == 0 ? new QParams(0.5f, 255 - length) : Generators.QParams(length);
            // Quarters, so that many are ties.
            float[] x = [.. Generators.Floats(length, length, 400).Select(v => length % 3 == 0 ? v : MathF.Round(v) / 4)];
            byte[] codes = [.. Enumerable.Repeat((byte)99, length + 80)];
            fixed (float* source = x)
            fixed (byte* target = codes)
                isa.QuantizeDynamic(source, target + 40, length, qparams);
            Assert.Equal([.. Enumerable.Repeat((byte)99, 40), .. x.Select(v => (byte)Reference.QuantizeDynamic(v, qparams)), .. Enumerable.Repeat((byte)99, 40)], codes);
        }
    }

    [Fact]
    public void Rows_a_page_apart_equal_the_reference()
    {
        // 4096 inputs: rows of activations are spread so that they do not share one set of the cache.
        Weights weights = Generators.Weights(5, 4096, seed: 9);
        float[] x = Generators.Floats(3 * 4096, seed: 8), together = new float[15];
        var linear = new Int8Linear(weights.Pack(), null, reduceRange: false);
        linear.Multiply(x, 3, together);
        QParams qparams = QParamsChooser.ForDynamic(x.Min(), x.Max());
        long[,] sums = Reference.Sums([.. x.Select(v => (byte)Reference.QuantizeDynamic(v, qparams))], 3, qparams.ZeroPoint, weights);
        Assert.Equal(sums.Cast<long>().Select((sum, i) => Reference.ToFloat(sum, qparams, weights.Scale(i % 5), null, null, false)), together);
    }

    [Fact]
    public async Task Many_threads_on_one_object_get_the_same_bits()
    {
        Int8Linear linear = Create(300, 130, out float[] x, rows: 7);
        float[] expected = new float[7 * 300];
        linear.Multiply(x, 7, expected);
        bool[] same = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            bool same = true;
            float[] output = new float[expected.Length];
            for (int repeat = 0; repeat < 50; repeat++)
            {
                linear.Multiply(x, 7, output, threads: 1 + (i + repeat) % 3);
                same &= output.AsSpan().SequenceEqual(expected);
                Array.Clear(output);
            }

            return same;
        })));
        Assert.All(same, Assert.True);
    }

    [Fact]
    public void Nothing_is_allocated_in_the_steady_state()
    {
        Int8Linear linear = Create(500, 130, out float[] x, rows: 9);
        float[] output = new float[9 * 500];
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++)
                linear.Multiply(x, 9, output, threads: 1 + i % 2);
        }));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Activations_without_a_finite_range_are_refused_and_the_output_is_untouched(float bad)
    {
        Int8Linear linear = Create(10, 20, out float[] x, rows: 2);
        x[25] = bad;
        float[] output = [.. Enumerable.Repeat(5f, 20)];
        Assert.Contains("expected finite activations", Assert.Throws<ArgumentException>(() => linear.Multiply(x, 2, output)).Message);
        Assert.All(output, value => Assert.Equal(5f, value));
    }

    [Fact]
    public void Activations_of_zeros_give_the_bias()
    {
        float[] bias = [1, -2, 3], output = new float[6];
        new Int8Linear(PackedWeights.Pack([1, 2, 3, 4, 5, 6], 3, 2, [0.5f]), bias, reduceRange: false).Multiply(new float[4], 2, output);
        Assert.Equal([1, -2, 3, 1, -2, 3], output);
    }

    [Fact]
    public void Weight_bytes_are_those_of_a_state_dictionary()
    {
        Assert.Equal(6 + 4 + 4, new Int8Linear(PackedWeights.Pack(new sbyte[6], 3, 2, [1]), null, false).WeightBytes);
        Assert.Equal(6 + 12 + 12 + 12, new Int8Linear(PackedWeights.Pack(new sbyte[6], 3, 2, [1, 1, 1]), new float[3], false).WeightBytes);
    }

    [Fact]
    public void The_bias_is_a_copy()
    {
        float[] bias = [1];
        var linear = new Int8Linear(PackedWeights.Pack([1], 1, 1, [1]), bias, false);
        bias[0] = 2;
        Assert.Equal([1f], linear.Bias.ToArray());
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        Int8Linear linear = Create(10, 20, out float[] x, rows: 2);
        linear.Multiply([], 0, []);
        Assert.Contains("x has 40 elements; expected 60", Failure(() => linear.Multiply(x, 3, new float[30])));
        Assert.Contains("output has 19 elements; expected 20", Failure(() => linear.Multiply(x, 2, new float[19])));
        Assert.Contains("m is -1", Failure(() => linear.Multiply(x, -1, new float[20])));
        Assert.Contains("threads is 0", Failure(() => linear.Multiply(x, 2, new float[20], threads: 0)));
        Assert.Contains("bias has 2 elements; expected 3", Failure(() => _ = new Int8Linear(PackedWeights.Pack(new sbyte[6], 3, 2, [1]), new float[2], false)));
        Assert.Throws<ArgumentNullException>(() => _ = new Int8Linear(null!, null, false));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;

    private static Int8Linear Create(int outputs, int inputs, out float[] x, int rows)
    {
        x = Generators.Floats(rows * inputs, seed: 3);
        return new Int8Linear(Generators.Weights(outputs, inputs, seed: 1).Pack(), Generators.Floats(outputs, seed: 2), reduceRange: false);
    }
}
