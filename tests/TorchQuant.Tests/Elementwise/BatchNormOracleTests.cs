using FsCheck.Xunit;
using TorchQuant.Kernels;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Elementwise;

/// <summary>Against quantized::batch_norm2d and 3d and their ReLU forms, and against what they stand for in float.</summary>
public class BatchNormOracleTests
{
    private const double Eps = 1e-5;

    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Codes_equal_libtorchs(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var c = Case.Of(seed);
        var x = oracle.Quantized(c.Codes, c.Input, c.Shape);
        foreach (bool relu in new[] { false, true })
        {
            byte[] expected = ElementwiseOracle.Codes(oracle.BatchNorm(x, tensor(c.Weight), tensor(c.Bias), tensor(c.Mean), tensor(c.Variance), Eps, c.Output, relu));
            Assert.Equal(expected, c.Apply(c.Codes, c.Inner, relu));
        }
    }

    [Property(EndSize = 1_000_000, MaxTest = 150)]
    public void Codes_next_to_ties_equal_libtorchs(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var c = Case.Of(seed, ties: false).NextToTies();
        var x = oracle.Quantized(c.Codes, c.Input, c.Shape);
        byte[] expected = ElementwiseOracle.Codes(oracle.BatchNorm(x, tensor(c.Weight), tensor(c.Bias), tensor(c.Mean), tensor(c.Variance), Eps, c.Output, relu: false));
        Assert.Equal(expected, c.Apply(c.Codes, c.Inner, relu: false));
    }

    [Property(EndSize = 1_000_000, MaxTest = 100)]
    public void Codes_are_those_of_dequantizing_normalizing_and_quantizing_but_for_one_next_to_ties(int seed)
    {
        using var scope = NewDisposeScope();
        using var oracle = new ElementwiseOracle();
        var c = Case.Of(seed, ties: false);
        var x = oracle.Quantized(c.Codes, c.Input, c.Shape);
        var normal = nn.functional.batch_norm(x.dequantize(), tensor(c.Mean), tensor(c.Variance), tensor(c.Weight), tensor(c.Bias), false, 0.1, Eps);
        byte[] expected = ElementwiseOracle.Codes(quantize_per_tensor(normal, c.Output.Scale, c.Output.ZeroPoint, ScalarType.QUInt8)), found = c.Apply(c.Codes, c.Inner, relu: false);
        float[] scaled = (normal / c.Output.Scale).data<float>().ToArray();
        for (int i = 0; i < found.Length; i++)
        {
            if (expected[i] == found[i])
                continue;
            Assert.InRange(found[i] - expected[i], -1, 1);
            int channel = i / c.Inner % c.Mean.Length;
            // The sums of float32 lose a few units of their last place, relative to their largest term.
            float largest = MathF.Abs(c.Multipliers[channel] * 255) + MathF.Abs(c.Addends[channel]) + MathF.Abs(scaled[i]) + c.MeanTerm(channel);
            Assert.InRange(MathF.Abs(scaled[i] - MathF.Floor(scaled[i]) - 0.5f), 0, 1e-6f * largest);
        }
    }

    /// <summary>Channels first, with the numbers of its channels folded.</summary>
    private sealed record Case(
        byte[] Codes, long[] Shape, QParams Input, QParams Output, float[] Weight, float[] Bias, float[] Mean, float[] Variance, float[] Multipliers, float[] Addends)
    {
        public int Inner => (int)(Shape[2..].Aggregate(1L, (product, size) => product * size));

        public static Case Of(int seed, bool ties = true)
        {
            var random = new Random(seed);
            int channels = random.Next(1, 80);
            long[] shape = random.Next(2) == 0 ? [random.Next(1, 3), channels, random.Next(1, 6), 3] : [random.Next(1, 3), channels, 2, random.Next(1, 4), 2];
            QParams input = RandomCodes.QParams(seed), output = RandomCodes.QParams(seed + 1);
            float[] Numbers(double low, double high) => [.. Enumerable.Range(0, channels).Select(_ => (float)(low + random.NextDouble() * (high - low)))];
            var (weight, bias, mean, variance) = (Numbers(-1, 2), Numbers(-1, 1), Numbers(-100 * input.Scale, 100 * input.Scale), Numbers(0.001, 5000 * input.Scale * input.Scale));
            if (ties && seed % 2 == 0)
                (bias, mean, variance, output) = (new float[channels], new float[channels], Enumerable.Repeat(1 - (float)Eps, channels).ToArray(), output with { Scale = 2 * input.Scale });
            if (ties && seed % 4 == 0)
                Array.Fill(weight, 1);
            byte[] codes = RandomCodes.Codes((int)shape.Aggregate(1L, (product, size) => product * size), seed);
            return Folded(codes, shape, input, output, weight, bias, mean, variance);
        }

        /// <summary>The biases that bring each channel's first code next to a tie, where the order of the operations shows.</summary>
        public Case NextToTies()
        {
            float[] bias = new float[Mean.Length];
            for (int c = 0; c < bias.Length; c++)
                bias[c] = (float)((c % 40 + 0.5 - Multipliers[c] * (double)(Codes[c * Inner] - Input.ZeroPoint)) * Output.Scale + Mean[c] * (double)Multipliers[c] / Input.Scale * Output.Scale);
            return Folded(Codes, Shape, Input, Output, Weight, bias, Mean, Variance);
        }

        private static Case Folded(byte[] codes, long[] shape, QParams input, QParams output, float[] weight, float[] bias, float[] mean, float[] variance)
        {
            float[] multipliers = new float[mean.Length], addends = new float[mean.Length];
            Int8BatchNorm.Fold(weight, bias, mean, variance, (float)Eps, input.Scale, output.Scale, multipliers, addends);
            return new(codes, shape, input, output, weight, bias, mean, variance, multipliers, addends);
        }

        public float MeanTerm(int c) => MathF.Abs(Mean[c] * Multipliers[c] / Input.Scale);

        public byte[] Apply(byte[] codes, int inner, bool relu)
        {
            byte[] found = new byte[codes.Length];
            Int8BatchNorm.Apply(codes, inner, Input.ZeroPoint, Multipliers, Addends, found, Output, relu);
            return found;
        }
    }
}
