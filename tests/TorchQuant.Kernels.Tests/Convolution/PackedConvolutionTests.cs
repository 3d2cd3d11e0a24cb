using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class PackedConvolutionTests
{
    [Property(MaxTest = 200)]
    public void Unpacking_gives_back_what_was_packed(Scheme scheme, int seed)
    {
        var random = new Random(seed);
        int groups = 1 + random.Next(40), inputs = 1 + random.Next(3);
        var shape = new ConvolutionShape(groups * inputs, groups * (1 + random.Next(5)), [1 + random.Next(3), 1 + random.Next(5)], groups: groups);
        Weights w = Generators.Weights(shape.OutChannels, inputs * shape.KernelSize, seed, scheme);
        PackedConvolution packed = PackedConvolution.Pack(w.Codes, shape, w.Scales, w.ZeroPoints);
        sbyte[] codes = new sbyte[w.Codes.Length];
        packed.Unpack(codes);
        Assert.Equal(w.Codes, codes);
        Assert.Equal(w.Scales, packed.Scales.ToArray());
        Assert.Equal(w.ZeroPoints.Length == 0 ? new int[w.Scales.Length] : w.ZeroPoints, packed.ZeroPoints.ToArray());
        Assert.Equal(shape, packed.Shape);
    }

    [Theory]
    [InlineData(32, 32, 32, 1)]
    [InlineData(64, 64, 16, 2)]
    [InlineData(6, 30, 2, 1)]
    [InlineData(6, 60, 2, 2)]
    [InlineData(5, 40, 5, 1)]
    [InlineData(128, 128, 2, 2)]
    public void Groups_are_merged_until_they_fill_a_panel(int inputs, int outputs, int groups, int parts)
    {
        var shape = new ConvolutionShape(inputs, outputs, [3], groups: groups);
        Assert.Equal(parts, PackedConvolution.Pack(new sbyte[outputs * inputs / groups * 3], shape, [1f]).Parts.Length);
    }

    [Fact]
    public void Weights_whose_sums_could_leave_int32_are_refused_by_their_output()
    {
        sbyte[] weights = new sbyte[3 * 65_794];
        weights.AsSpan(2 * 65_794).Fill(-128);
        string message = Failure(() => PackedConvolution.Pack(weights, new ConvolutionShape(32_897, 3, [2]), [1f]));
        Assert.Contains("The weights of output 2 have the absolute sum 8421632; expected at most 8421504", message);
        weights[^1] = 0;
        Assert.Equal(3, PackedConvolution.Pack(weights, new ConvolutionShape(32_897, 3, [2]), [1f]).Shape.OutChannels);
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_refused()
    {
        var shape = new ConvolutionShape(2, 2, [3]);
        Assert.Contains("weights has 11 elements; expected 12", Failure(() => PackedConvolution.Pack(new sbyte[11], shape, [1f])));
        Assert.Contains("scales has 3 elements; expected 1 or 2", Failure(() => PackedConvolution.Pack(new sbyte[12], shape, [1, 1, 1])));
        Assert.Contains("scales has the scale -1", Failure(() => PackedConvolution.Pack(new sbyte[12], shape, [1, -1])));
        Assert.Contains("zeroPoints has 3 elements; expected 1 or 2", Failure(() => PackedConvolution.Pack(new sbyte[12], shape, [1], [0, 0, 0])));
        Assert.Contains("zeroPoints has the zero point 128", Failure(() => PackedConvolution.Pack(new sbyte[12], shape, [1], [128])));
        Assert.Contains("weights has 13 elements; expected 12", Failure(() => PackedConvolution.Pack(new sbyte[12], shape, [1f]).Unpack(new sbyte[13])));
        Assert.Throws<ArgumentNullException>(() => PackedConvolution.Pack(new sbyte[12], null!, [1f]));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
