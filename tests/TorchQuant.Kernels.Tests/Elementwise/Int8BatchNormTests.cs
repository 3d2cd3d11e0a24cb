using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Elementwise;

public class Int8BatchNormTests
{
    private const int Canaries = 70;

    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Every_row_equals_the_reference_at_every_number_of_channels(Isa isa)
    {
        for (int channels = 1; channels <= 3 * 16 + 1; channels++)
        {
            foreach (int outer in new[] { 0, 1, 2, 13 })
                AssertEqualsReference(isa, outer, channels, inner: 1, seed: channels + outer, threads: 1);
        }
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Every_row_equals_the_reference_for_channels_first_at_every_length(Isa isa)
    {
        for (int inner = 1; inner <= 3 * 16 + 1; inner++)
            AssertEqualsReference(isa, outer: 2, channels: 3, inner, seed: inner, threads: 1);
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void Threads_share_what_is_large(Isa isa)
    {
        AssertEqualsReference(isa, outer: 3001, channels: 37, inner: 1, seed: 3, threads: 4);
        AssertEqualsReference(isa, outer: 5, channels: 9000, inner: 1, seed: 4, threads: 4);
        AssertEqualsReference(isa, outer: 4, channels: 7, inner: 3000, seed: 5, threads: 4);
    }

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_gives_the_same_bits(int seed)
    {
        var random = new Random(seed);
        (int outer, int channels, int inner) = (random.Next(4), random.Next(1, 70), random.Next(2) == 0 ? 1 : random.Next(1, 70));
        foreach (Isa isa in Isa.Available)
            AssertEqualsReference(isa, outer, channels, inner, seed, threads: 1);
    }

    [Property(EndSize = 1_000_000)]
    public void Folding_and_applying_is_normalizing_within_one_code(int seed)
    {
        const int channels = 9;
        var random = new Random(seed);
        QParams input = Generators.QParams(seed), output = Generators.QParams(seed + 1);
        float[] weight = Generators.Floats(channels, seed, 2), bias = Generators.Floats(channels, seed + 1, 3), mean = Generators.Floats(channels, seed + 2, 100 * input.Scale);
        float[] variance = Array.ConvertAll(Generators.Floats(channels, seed + 3, 50 * input.Scale), x => x * x);
        float[] multipliers = new float[channels], addends = new float[channels];
        Int8BatchNorm.Fold(weight, bias, mean, variance, 1e-5f, input.Scale, output.Scale, multipliers, addends);
        byte[] codes = Generators.Activations(channels * 11, seed), found = new byte[codes.Length];
        Int8BatchNorm.Apply(codes, 1, input.ZeroPoint, multipliers, addends, found, output);
        for (int i = 0; i < codes.Length; i++)
        {
            int c = i % channels;
            double x = ((codes[i] - input.ZeroPoint) * (double)input.Scale - mean[c]) / Math.Sqrt(variance[c] + 1e-5) * weight[c] + bias[c];
            double scaled = x / output.Scale + output.ZeroPoint;
            // Float sums lose up to a few of their 24 bits, relative to the larger of their terms.
            double slack = 1e-5 * (Math.Abs((codes[i] - input.ZeroPoint) * (double)multipliers[c]) + Math.Abs((double)addends[c]) + Math.Abs(mean[c] * weight[c] / Math.Sqrt(variance[c] + 1e-5) / output.Scale));
            Assert.InRange(found[i], Math.Clamp(Math.Floor(scaled - 0.5 - slack), 0, 255), Math.Clamp(Math.Ceiling(scaled + 0.5 + slack), 0, 255));
        }
    }

    [Fact]
    public void Without_weight_and_bias_they_are_one_and_zero()
    {
        float[] multipliers = new float[2], addends = new float[2], withNone = new float[2], addendsWithNone = new float[2];
        Int8BatchNorm.Fold([1, 1], [0, 0], [0.5f, -1], [4, 0.3f], 1e-5f, 0.1f, 0.2f, multipliers, addends);
        Int8BatchNorm.Fold([], [], [0.5f, -1], [4, 0.3f], 1e-5f, 0.1f, 0.2f, withNone, addendsWithNone);
        Assert.Equal(multipliers, withNone);
        Assert.Equal(addends, addendsWithNone);
        Assert.Equal(0.25f, multipliers[0], 1e-5f);
        Assert.Equal(-1.25f, addends[0], 1e-5f);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] codes = new byte[6000];
        float[] numbers = new float[10];
        Assert.Equal(0, Allocations.Least(() => Int8BatchNorm.Apply(codes, 1, 0, numbers, numbers, codes, new QParams(1, 0))));
        Assert.Equal(0, Allocations.Least(() => Int8BatchNorm.Apply(codes, 20, 0, numbers, numbers, codes, new QParams(1, 0))));
    }

    [Fact]
    public void What_does_not_fit_is_refused_by_name()
    {
        float[] two = new float[2];
        Assert.Contains("output has 3 elements; expected 4", Refusal(() => Int8BatchNorm.Apply(new byte[4], 1, 0, two, two, new byte[3], new QParams(1, 0))));
        Assert.Contains("addends has 1 elements; expected 2", Refusal(() => Int8BatchNorm.Apply(new byte[4], 1, 0, two, new float[1], new byte[4], new QParams(1, 0))));
        Assert.Contains("codes has 6 elements; expected a multiple of 2 channels times 2", Refusal(() => Int8BatchNorm.Apply(new byte[6], 2, 0, two, two, new byte[6], new QParams(1, 0))));
        Assert.Contains("codes has 6 elements; expected a multiple of 0 channels", Refusal(() => Int8BatchNorm.Apply(new byte[6], 1, 0, [], [], new byte[6], new QParams(1, 0))));
        Assert.Contains("inner is 0", Refusal(() => Int8BatchNorm.Apply(new byte[4], 0, 0, two, two, new byte[4], new QParams(1, 0))));
        Assert.Contains("inputZeroPoint has the zero point 256", Refusal(() => Int8BatchNorm.Apply(new byte[4], 1, 256, two, two, new byte[4], new QParams(1, 0))));
        Assert.Contains("outParams has the zero point -1", Refusal(() => Int8BatchNorm.Apply(new byte[4], 1, 0, two, two, new byte[4], new QParams(1, -1))));
        Assert.Contains("multipliers holds NaN; expected finite", Refusal(() => Int8BatchNorm.Apply(new byte[4], 1, 0, [0, float.NaN], two, new byte[4], new QParams(1, 0))));
        Assert.Contains("weight has 1 elements; expected 0 or 2", Refusal(() => Int8BatchNorm.Fold([1], [], two, two, 0, 1, 1, two, two)));
        Assert.Contains("outputScale has the scale 0", Refusal(() => Int8BatchNorm.Fold([], [], two, two, 0, 1, 0, two, two)));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static void AssertEqualsReference(Isa isa, int outer, int channels, int inner, int seed, int threads)
    {
        byte[] codes = Generators.Activations(outer * channels * inner, seed);
        float[] multipliers = Generators.Floats(channels, seed, 3), addends = Generators.Floats(channels, seed + 1, 300);
        for (int c = 0; c < channels; c += 3)
            (multipliers[c], addends[c]) = (0.5f, MathF.Round(addends[c])); // Ties.
        (int zeroPoint, int outputZeroPoint) = (Generators.QParams(seed).ZeroPoint, Generators.QParams(seed + 1).ZeroPoint);
        foreach (bool relu in new[] { false, true })
        {
            byte[] found = new byte[codes.Length + 2 * Canaries], expected = new byte[found.Length];
            Array.Fill(found, (byte)99);
            Array.Fill(expected, (byte)99);
            for (int i = 0; i < codes.Length; i++)
            {
                int c = i / inner % channels;
                expected[Canaries + i] = CodeReference.BatchNorm(codes[i], zeroPoint, multipliers[c], addends[c], outputZeroPoint, relu);
            }

            Int8BatchNorm.Apply(isa, codes, inner, zeroPoint, multipliers, addends, found.AsSpan(Canaries, codes.Length), new QParams(1, outputZeroPoint), relu, threads);
            int same = expected.AsSpan().CommonPrefixLength(found);
            Assert.True(same == expected.Length, same == expected.Length ? "" : $"{isa} [{outer}, {channels}, {inner}] relu {relu}: element {same - Canaries} is {found[same]}, expected {expected[same]}");
        }
    }
}
