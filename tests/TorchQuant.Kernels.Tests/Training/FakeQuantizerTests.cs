using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Training;

public class FakeQuantizerTests
{
    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Property(MaxTest = 300)]
    public bool Every_kernel_equals_the_formula_bit_for_bit(int seed, byte channelsDraw, byte innerDraw, byte outerDraw)
    {
        var random = new Random(seed);
        int channels = 1 + channelsDraw % 5, inner = 1 + innerDraw % 70, outer = 1 + outerDraw % 3;
        (int low, int high) = (seed & 3) switch { 0 => (0, 255), 1 => (-128, 127), 2 => (0, 15), _ => (-8, 7) };
        float[] scales = [.. Enumerable.Range(0, channels).Select(_ => (float)Math.Exp(random.NextDouble() * 6 - 4))];
        int[] zeroPoints = [.. Enumerable.Range(0, channels).Select(_ => random.Next(low, high + 1))];
        float[] x = Generators.Floats(outer * channels * inner, seed, magnitude: 20);
        for (int i = 0; i < x.Length; i += 3) // ties, ends of the range, and far beyond it
        {
            int channel = i / inner % channels;
            x[i] = (random.Next(low - 2, high + 3) - zeroPoints[channel] + (random.Next(3) - 1) * 0.5f) * scales[channel];
            if (random.Next(20) == 0)
                x[i] = random.Next(2) == 0 ? float.PositiveInfinity : float.MinValue;
        }

        return Isa.Available.All(isa => Enumerable.Range(1, 2).All(threads =>
        {
            float[] y = new float[x.Length], dx = new float[x.Length], dy = Generators.Floats(x.Length, seed + 1);
            sbyte[] outside = new sbyte[x.Length];
            bool allNumbers = FakeQuantizer.Forward(isa, x, y, outside, scales, zeroPoints, inner, low, high, threads);
            FakeQuantizer.Backward(isa, dy, outside, dx, threads);
            return allNumbers && Enumerable.Range(0, x.Length).All(i =>
            {
                int channel = channels == 1 ? 0 : i / inner % channels;
                float rounded = MathF.Round(x[i] * (1f / scales[channel]), MidpointRounding.ToEven) + zeroPoints[channel];
                bool isInside = rounded >= low && rounded <= high;
                float expected = (Math.Clamp(rounded, low, high) - zeroPoints[channel]) * scales[channel];
                return y[i] == expected && outside[i] == (isInside ? 0 : rounded < low ? -1 : 1) && dx[i] == (isInside ? dy[i] : dy[i] * 0);
            });
        }));
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void A_long_tensor_is_split_without_a_seam(Isa isa)
    {
        float[] x = Generators.Floats(100_003, seed: 5), y = new float[x.Length], again = new float[x.Length];
        sbyte[] outside = new sbyte[x.Length];
        Assert.True(FakeQuantizer.Forward(isa, x, y, outside, [0.05f], [3], 0, 0, 255, threads: 2));
        for (int i = 0; i < x.Length; i++)
            Assert.True(FakeQuantizer.Forward(isa, x.AsSpan(i, 1), again.AsSpan(i, 1), outside.AsSpan(i, 1), [0.05f], [3], 0, 0, 255, threads: 1));
        Assert.Equal(again, y);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void One_NaN_anywhere_is_told_and_gives_zero(Isa isa)
    {
        for (int at = 0; at < 40; at++)
        {
            float[] x = [.. Enumerable.Repeat(1f, 40)], y = new float[40];
            x[at] = float.NaN;
            Assert.False(FakeQuantizer.Forward(isa, x, y, new sbyte[40], [0.5f], [2], 0, 0, 255, threads: 1));
            Assert.Equal(0, y[at]);
        }
    }

    [Fact]
    public void What_does_not_fit_together_is_refused()
    {
        Assert.Contains("multiple of 2 channels of 2", Assert.Throws<ArgumentException>(() => FakeQuantizer.Forward(new float[6], new float[6], new sbyte[6], [1, 1], [0, 0], 2, 0, 255)).Message);
        Assert.Contains("zero point 9; expected 0 to 7", Assert.Throws<ArgumentException>(() => FakeQuantizer.Forward(new float[1], new float[1], new sbyte[1], [1], [9], 0, 0, 7)).Message);
        Assert.Contains("outside has 2 elements; expected 1", Assert.Throws<ArgumentException>(() => FakeQuantizer.Backward(new float[1], new sbyte[2], new float[1])).Message);
        Assert.Contains("scale 0", Assert.Throws<ArgumentException>(() => FakeQuantizer.Forward(new float[1], new float[1], new sbyte[1], [0], [0], 0, 0, 7)).Message);
    }
}
