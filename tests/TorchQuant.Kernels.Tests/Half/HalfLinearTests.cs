using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class HalfLinearTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(13)]
    public void Is_within_the_rounding_of_the_reference_at_every_number_of_outputs(int m)
    {
        for (int outputs = 1; outputs <= 65; outputs++)
            AssertWithinRounding(m, outputs, inputs: 1 + outputs % 7, seed: outputs);
        foreach (int outputs in (int[])[96, 127, 128, 129, 200])
            AssertWithinRounding(m, outputs, inputs: 19, seed: outputs);
    }

    [Property(MaxTest = 100)]
    public void Is_within_the_rounding_of_the_reference(int seed)
    {
        var random = new Random(seed);
        AssertWithinRounding(1 + random.Next(20), 1 + random.Next(150), 1 + random.Next(300), seed);
    }

    [Property(MaxTest = 60)]
    public void Every_ISA_number_of_threads_and_number_of_rows_gives_the_same_bits(int seed)
    {
        var random = new Random(seed);
        int m = 1 + random.Next(14), outputs = 1 + random.Next(150), inputs = 1 + random.Next(60);
        HalfCase layer = HalfCase.Create(Generators.Floats(outputs * inputs, seed), outputs, inputs, Generators.Floats(outputs, seed));
        float[] x = Generators.Floats(m * inputs, seed + 1), before = Generators.Floats(m * outputs, seed + 2);
        bool relu = random.Next(2) == 0, accumulate = random.Next(2) == 0;
        float[] Run(Isa isa, int threads, int rowsAtOnce)
        {
            float[] output = [.. before];
            for (int row = 0; row < m; row += rowsAtOnce)
            {
                int rows = Math.Min(rowsAtOnce, m - row);
                layer.Half.Multiply(isa, x.AsSpan(row * inputs, rows * inputs), rows, output.AsSpan(row * outputs, rows * outputs), relu, accumulate, threads);
            }

            return output;
        }

        float[] expected = Run(Isa.Available[^1], 1, m);
        foreach (Isa isa in Isa.Available)
        {
            foreach (int threads in (int[])[1, 2, 3])
            {
                Assert.Equal(expected, Run(isa, threads, m));
                Assert.Equal(expected, Run(isa, threads, 1));
                Assert.Equal(expected, Run(isa, threads, 4));
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    public void Panels_that_are_shared_among_threads_give_the_same_bits(int m)
    {
        HalfCase layer = HalfCase.Create(Generators.Floats(600 * 100, 1), 600, 100, Generators.Floats(600, 2));
        float[] x = Generators.Floats(m * 100, 3), expected = new float[m * 600], output = new float[m * 600];
        layer.Half.Multiply(x, m, expected);
        for (int i = 0; i < 50; i++)
        {
            Array.Fill(output, 7);
            layer.Half.Multiply(x, m, output, threads: 2);
            Assert.Equal(expected, output);
        }
    }

    [Fact]
    public void Every_finite_half_is_decoded_exactly_and_unpacked_as_it_was()
    {
        Half[] halves = [.. Enumerable.Range(0, ushort.MaxValue + 1).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(Half.IsFinite)];
        float[] expected = [.. halves.Select(half => (float)half)];
        HalfLinear layer = HalfLinear.Pack(expected, halves.Length, 1, bias: null);
        foreach (Isa isa in Isa.Available)
        {
            foreach (int m in (int[])[1, 5, 9])
            {
                float[] output = new float[halves.Length * m];
                layer.Multiply(isa, [.. Enumerable.Repeat(1f, m)], m, output, relu: false, accumulate: false, threads: 1);
                for (int row = 0; row < m; row++)
                    Assert.Equal(expected, output[(row * halves.Length)..((row + 1) * halves.Length)]);
            }
        }

        Half[] unpacked = new Half[halves.Length];
        layer.Unpack(unpacked);
        Assert.Equal(halves.Select(BitConverter.HalfToUInt16Bits), unpacked.Select(BitConverter.HalfToUInt16Bits));
    }

    [Property(MaxTest = 60)]
    public void Unpacks_the_nearest_halves_in_their_places(int seed)
    {
        var random = new Random(seed);
        int outputs = 1 + random.Next(100), inputs = 1 + random.Next(20);
        float[] weights = Generators.Floats(outputs * inputs, seed, magnitude: seed % 2 == 0 ? 1 : 1e-5f);
        Half[] unpacked = new Half[weights.Length];
        HalfLinear layer = HalfLinear.Pack(weights, outputs, inputs, bias: null);
        layer.Unpack(unpacked);
        Assert.Equal(weights.Select(value => (Half)value), unpacked);
        Assert.Equal(2 * weights.Length, layer.WeightBytes);
    }

    [Fact]
    public void Weights_are_saturated_as_in_PyTorch()
    {
        Half[] unpacked = new Half[4];
        HalfLinear layer = HalfLinear.Pack([65505, -1e30f, float.PositiveInfinity, float.NegativeInfinity], 4, 1, [1, 2, 3, 4]);
        layer.Unpack(unpacked);
        Assert.Equal<Half>([Half.MaxValue, Half.MinValue, Half.MaxValue, Half.MinValue], unpacked);
        Assert.Equal(4 * 2 + 4 * 4, layer.WeightBytes);
    }

    [Fact]
    public void A_NaN_weight_is_refused_by_its_place()
    {
        var error = Assert.Throws<ArgumentException>(() => HalfLinear.Pack([1, 2, 3, float.NaN, 5, 6], 2, 3, null));
        Assert.Contains("output 1, input 0 is NaN", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Infinities_and_NaN_in_x_stay_in_their_row()
    {
        HalfLinear layer = HalfLinear.Pack([1, -2, 0.5f, 4], 2, 2, bias: null);
        float[] output = new float[8];
        layer.Multiply([1, 1, float.PositiveInfinity, 1, float.NaN, 1, 2, 2], 4, output);
        Assert.Equal<float>([-1f, 4.5f, float.PositiveInfinity, float.PositiveInfinity, float.NaN, float.NaN, -2f, 9f], output);
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Contains("weights has 3 elements; expected 4", Assert.Throws<ArgumentException>(() => HalfLinear.Pack(new float[3], 2, 2, null)).Message, StringComparison.Ordinal);
        Assert.Contains("bias has 3 elements; expected 2", Assert.Throws<ArgumentException>(() => HalfLinear.Pack(new float[4], 2, 2, new float[3])).Message, StringComparison.Ordinal);
        HalfLinear layer = HalfLinear.Pack(new float[4], 2, 2, null);
        Assert.Contains("x has 3 elements; expected 4", Assert.Throws<ArgumentException>(() => layer.Multiply(new float[3], 2, new float[4])).Message, StringComparison.Ordinal);
        Assert.Contains("weights has 3 elements; expected 4", Assert.Throws<ArgumentException>(() => layer.Unpack(new Half[3])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    public void Allocates_nothing_in_the_steady_state(int m)
    {
        HalfLinear layer = HalfLinear.Pack(Generators.Floats(70 * 50, 1), 70, 50, null);
        float[] x = Generators.Floats(m * 50, 2), output = new float[m * 70];
        Assert.Equal(0, Allocations.Least(() => layer.Multiply(x, m, output)));
    }

    /// <summary>K fused products, the bias and what was there, each rounded to 2^-24 of a partial sum that is not above the sum of the magnitudes.</summary>
    private static void AssertWithinRounding(int m, int outputs, int inputs, int seed)
    {
        float[]? bias = seed % 3 == 0 ? null : Generators.Floats(outputs, seed + 1);
        HalfCase layer = HalfCase.Create(Generators.Floats(outputs * inputs, seed, magnitude: seed % 2 == 0 ? 1 : 1e-4f), outputs, inputs, bias);
        float[] x = Generators.Floats(m * inputs, seed + 2), before = Generators.Floats(m * outputs, seed + 3);
        bool relu = (seed & 3) < 2, accumulate = (seed & 7) < 3;
        double[,] sums = layer.Multiply(x, m), magnitudes = layer.Magnitudes(x, m);
        foreach (Isa isa in Isa.Available)
        {
            // Canaries on both sides of the output.
            float[] output = [7, .. before, 7];
            layer.Half.Multiply(isa, x, m, output.AsSpan(1, m * outputs), relu, accumulate, threads: 1 + (seed & 1));
            Assert.Equal((7f, 7f), (output[0], output[^1]));
            for (int i = 0; i < before.Length; i++)
            {
                double expected = sums[i / outputs, i % outputs] + (accumulate ? before[i] : 0);
                double bound = (inputs + 2) * 1.01 / (1 << 24) * (magnitudes[i / outputs, i % outputs] + (accumulate ? Math.Abs(before[i]) : 0));
                Assert.InRange(output[i + 1] - (relu ? Math.Max(expected, 0) : expected), -bound, bound);
            }
        }
    }
}
