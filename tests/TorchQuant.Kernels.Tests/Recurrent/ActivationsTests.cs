using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class ActivationsTests
{
    private static readonly float[] s_extremes =
    [
        0f, -0f, float.Epsilon, -float.Epsilon, 1e-38f, -1e-38f, 1e-7f, 0.5f, -0.5f, 1f, -1f, 9f, -9f, 43.99f, -44f, 87.33f, -87.34f, 88.03f, -88.04f, 88.72f, -88.73f, 89f, -89f,
        1e30f, -1e30f, float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity,
    ];

    [Fact]
    public void Sigmoid_is_within_the_stated_error_of_the_exact_function() => AssertWithinStatedError(Activations.Sigmoid, x => 1 / (1 + Math.Exp(-x)));

    [Fact]
    public void Tanh_is_within_the_stated_error_of_the_exact_function() => AssertWithinStatedError(Activations.Tanh, Math.Tanh);

    [Fact]
    public void Infinities_give_the_limits_exactly_and_zero_the_middle()
    {
        float[] x = [float.NegativeInfinity, float.MinValue, -0f, 0f, float.MaxValue, float.PositiveInfinity];
        foreach (Isa isa in Isa.Available)
        {
            Assert.Equal([0f, 0f, 0.5f, 0.5f, 1f, 1f], Sigmoid(isa, x));
            float[] tanh = Tanh(isa, x);
            Assert.Equal([-1f, -1f, -0f, 0f, 1f, 1f], tanh);
            Assert.True(float.IsNegative(tanh[2]) && !float.IsNegative(tanh[3]));
        }
    }

    [Fact]
    public void NaN_gives_NaN_and_touches_no_neighbour()
    {
        foreach (Isa isa in Isa.Available)
        {
            for (int at = 0; at < 33; at++)
            {
                float[] x = Generators.Floats(33, at);
                x[at] = at % 2 == 0 ? float.NaN : -float.NaN;
                AssertNaNOnlyAt(at, Sigmoid(isa, x));
                AssertNaNOnlyAt(at, Tanh(isa, x));
            }
        }
    }

    [Property(MaxTest = 60)]
    public void Tanh_is_odd_and_within_minus_one_to_one(int seed)
    {
        float[] x = Generators.Floats(100, seed);
        float[] positive = Run(Activations.Tanh, x), negative = Run(Activations.Tanh, [.. x.Select(v => -v)]);
        for (int i = 0; i < x.Length; i++)
        {
            Assert.Equal(positive[i], -negative[i]);
            Assert.InRange(positive[i], -1f, 1f);
        }
    }

    [Fact]
    public void Every_vector_width_gives_the_same_bits_at_every_length()
    {
        for (int length = 0; length <= 2 * 16 + 1; length++)
        {
            float[] x = [.. Generators.Floats(length, length, magnitude: length % 2 == 0 ? 10 : 100)];
            for (int i = 0; i < length; i += 3)
                x[i] = s_extremes[(i / 3 + length) % s_extremes.Length];
            foreach (Isa isa in Isa.Available)
            {
                AssertSameBits(x.Select(v => Sigmoid(isa, [v])[0]), Sigmoid(isa, x));
                AssertSameBits(Sigmoid(Isa.Available[^1], x), Sigmoid(isa, x));
                AssertSameBits(Tanh(Isa.Available[^1], x), Tanh(isa, x));
            }
        }
    }

    [Fact]
    public void Works_in_place_and_writes_nothing_else()
    {
        float[] x = Generators.Floats(50, 3);
        float[] expected = Run(Activations.Tanh, x[5..38]);
        float[] memory = [.. x];
        Activations.Tanh(memory.AsSpan(5, 33), memory.AsSpan(5, 33));
        Assert.Equal([.. x[..5], .. expected, .. x[38..]], memory);
    }

    [Fact]
    public void An_output_of_another_length_is_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Activations.Sigmoid(new float[3], new float[2]));
        Assert.Contains("output has 2 elements; expected 3", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Every 251st float of either sign, and dense numbers where the functions bend.</summary>
    private static void AssertWithinStatedError(Function function, Func<double, double> exact)
    {
        var x = new List<float>(s_extremes);
        for (uint bits = 0x30000000; bits < 0x43000000; bits += 251)
            x.Add(BitConverter.UInt32BitsToSingle(x.Count % 2 == 0 ? bits : bits | 0x80000000));
        for (double value = -20; value < 20; value += 1e-4)
            x.Add((float)value);
        float[] found = Run(function, [.. x]);
        double worst = 0;
        for (int i = 0; i < found.Length; i++)
            worst = Math.Max(worst, Math.Abs(found[i] - exact(x[i])));
        Assert.InRange(worst, 0, Activations.MaxError);
    }

    private delegate void Function(ReadOnlySpan<float> x, Span<float> output);

    private static float[] Run(Function function, float[] x)
    {
        float[] output = new float[x.Length];
        function(x, output);
        return output;
    }

    private static float[] Sigmoid(Isa isa, float[] x) => Run((source, target) => Activations.Sigmoid(isa, source, target), x);

    private static float[] Tanh(Isa isa, float[] x) => Run((source, target) => Activations.Tanh(isa, source, target), x);

    private static void AssertSameBits(IEnumerable<float> expected, float[] found) =>
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), found.Select(BitConverter.SingleToInt32Bits));

    private static void AssertNaNOnlyAt(int at, float[] y)
    {
        for (int i = 0; i < y.Length; i++)
            Assert.Equal(i == at, float.IsNaN(y[i]));
    }
}
