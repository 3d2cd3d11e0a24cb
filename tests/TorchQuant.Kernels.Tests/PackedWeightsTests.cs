using FsCheck;
using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class PackedWeightsTests
{
    [Property(EndSize = 10_000)]
    public void Unpacking_gives_back_what_was_packed(NonNegativeInt n, NonNegativeInt k, Scheme scheme, int seed)
    {
        Weights weights = Generators.Weights(n.Get % 70 + 1, k.Get % 40 + 1, seed, scheme);
        PackedWeights packed = weights.Pack();
        sbyte[] codes = new sbyte[weights.Codes.Length];
        packed.Unpack(codes);
        Assert.Equal(weights.Codes, codes);
        Assert.Equal(weights.Scales, packed.Scales.ToArray());
        Assert.Equal(weights.ZeroPoints.Length == 0 ? new int[weights.Scales.Length] : weights.ZeroPoints, packed.ZeroPoints.ToArray());
        Assert.Equal((weights.N, weights.K), (packed.OutFeatures, packed.InFeatures));
    }

    [Fact]
    public unsafe void Panels_are_32_columns_of_groups_of_four_on_a_cache_line()
    {
        Weights weights = Generators.Weights(40, 9, seed: 3);
        PackedWeights packed = weights.Pack();
        Assert.Equal(0u, (nuint)packed.Panels % 64);
        for (int n = 0; n < 64; n++)
        {
            for (int k = 0; k < 12; k++)
            {
                sbyte expected = n < 40 && k < 9 ? weights.Codes[n * 9 + k] : (sbyte)0;
                Assert.Equal(expected, packed.Panels[((n / 32 * 3 + k / 4) * 32 + n % 32) * 4 + k % 4]);
            }
        }
    }

    [Fact]
    public void Weights_whose_sums_could_leave_int32_are_refused_and_the_largest_that_cannot_are_taken()
    {
        sbyte[] weights = [.. Enumerable.Repeat((sbyte)-128, 65_794)];
        Assert.Equal(65_793, PackedWeights.Pack(weights.AsSpan(1), 1, 65_793, [1]).InFeatures);
        string message = Assert.Throws<ArgumentException>(() => PackedWeights.Pack(weights, 1, 65_794, [1])).Message;
        Assert.Contains("output 0", message);
        Assert.Contains("Split the layer", message);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        Assert.Contains("weights has 5 elements; expected 6", Failure(() => PackedWeights.Pack(new sbyte[5], 2, 3, [1])));
        Assert.Contains("scales has 3 elements; expected 1 or 2", Failure(() => PackedWeights.Pack(new sbyte[6], 2, 3, [1, 1, 1])));
        Assert.Contains("zeroPoints has 3 elements; expected 1 or 2", Failure(() => PackedWeights.Pack(new sbyte[6], 2, 3, [1], [0, 0, 0])));
        Assert.Contains("scales has the scale 0", Failure(() => PackedWeights.Pack(new sbyte[6], 2, 3, [1, 0])));
        Assert.Contains("zeroPoints has the zero point 200", Failure(() => PackedWeights.Pack(new sbyte[6], 2, 3, [1], [200])));
        Assert.Contains("outFeatures is 0", Failure(() => PackedWeights.Pack([], 0, 3, [1])));
        Assert.Contains("inFeatures is 0", Failure(() => PackedWeights.Pack([], 2, 0, [1])));
        Assert.Contains("weights has 5 elements; expected 6", Failure(() => PackedWeights.Pack(new sbyte[6], 2, 3, [1]).Unpack(new sbyte[5])));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
