using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

/// <summary>Outputs that have fewer codes than 256: every kernel gives what it gives with all of them, clamped.</summary>
public class CodeRangeTests
{
    [Property(MaxTest = 60)]
    public void A_narrower_range_clamps_the_codes_of_every_kernel(int seed)
    {
        var random = new Random(seed);
        (byte lowest, byte highest) = ((byte)random.Next(0, 100), (byte)random.Next(110, 255));
        QParams input = Generators.QParams(seed), other = Generators.QParams(seed + 1), whole = new(Generators.QParams(seed + 2).Scale, random.Next(lowest, highest + 1));
        QParams narrow = whole with { Lowest = lowest, Highest = highest };
        byte[] a = Generators.Activations(24 * 20, seed), b = Generators.Activations(24 * 20, seed + 1);
        foreach (bool relu in new[] { false, true })
        {
            AssertClamps((output, qparams) => Int8Add.Add(a, input, b, other, output, qparams, relu));
            AssertClamps((output, qparams) => Int8Mul.Multiply(a, input, b, other, output, qparams, relu));
            float[] multipliers = Generators.Floats(24, seed, 3), addends = Generators.Floats(24, seed + 1, 300);
            AssertClamps((output, qparams) => Int8BatchNorm.Apply(a, 1, input.ZeroPoint, multipliers, addends, output, qparams, relu));
        }

        AssertClamps((output, qparams) => CodeTable.Requantize(input, qparams).Apply(a, output));
        var weights = Generators.Weights(24, 20, seed);
        float[] bias = Generators.Floats(24, seed);
        PackedConvolution packed = PackedConvolution.Pack(weights.Codes, new ConvolutionShape(20, 24, [1]), weights.Scales);
        foreach (FusedActivation activation in Enum.GetValues<FusedActivation>())
        {
            AssertClamps((output, qparams) => Int8Gemm.MultiplyToByte(a.AsSpan(0, 400), 20, input, weights.Pack(), bias, qparams, activation, output));
            AssertClamps((output, qparams) => Int8Convolution.Run(a.AsSpan(0, 400), 1, [20], input, packed, bias, qparams, activation, output));
        }

        void AssertClamps(Run run)
        {
            byte[] expected = new byte[a.Length], found = new byte[a.Length];
            run(expected, whole);
            run(found, narrow);
            Assert.Equal(Array.ConvertAll(expected, code => Math.Clamp(code, lowest, highest)), found);
        }
    }

    [Fact]
    public void A_range_that_does_not_increase_is_refused()
    {
        QParams inverted = new(1, 0) { Lowest = 9, Highest = 9 };
        Assert.Contains("quantMin to quantMax is 9 to 9", Assert.ThrowsAny<ArgumentException>(() => Int8Add.Add([1], new(1, 0), [1], new(1, 0), new byte[1], inverted)).Message);
        Assert.Equal((0, 255), (default(QParams).Lowest, default(QParams).Highest));
    }

    private delegate void Run(Span<byte> output, QParams qparams);
}
