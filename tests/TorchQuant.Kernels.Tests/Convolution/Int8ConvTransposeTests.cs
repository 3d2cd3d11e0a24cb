using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8ConvTransposeTests
{
    [Property(MaxTest = 250)]
    public void Every_kernel_equals_the_reference_bit_for_bit(Scheme scheme, int seed)
    {
        var random = new Random(seed);
        int groups = random.Next(2) == 0 ? 1 : 1 + random.Next(8), inputs = 1 + random.Next(groups == 1 ? 20 : 4), outputs = 1 + random.Next(groups == 1 ? 70 : 20);
        int dimensions = 1 + random.Next(3), most = dimensions == 3 ? 3 : 5;
        int[] Numbers(int from, int to) => [.. Enumerable.Range(0, dimensions).Select(_ => random.Next(from, to))];
        (int[] kernel, int[] stride, int[] dilation) = (Numbers(1, most + 1), Numbers(1, dimensions == 3 ? 3 : 5), Numbers(1, 4));
        int[] outputPadding = [.. Enumerable.Range(0, dimensions).Select(d => random.Next(Math.Max(stride[d], dilation[d])))];
        int[] size = Numbers(1, dimensions == 1 ? 60 : dimensions == 2 ? 9 : 5);
        // Some of the output remains.
        int[] padding = [.. Enumerable.Range(0, dimensions).Select(d => random.Next(1 + ((size[d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + outputPadding[d]) / 2))];
        var shape = new ConvTransposeShape(groups * inputs, groups * outputs, kernel, stride, padding, outputPadding, dilation, groups);
        ConvolutionCase.Create(shape, 1 + random.Next(3), size, seed, scheme).AssertEveryKernelEqualsTheReference();
    }

    [Theory]
    [InlineData(64, 32, 2, 2, 0, 0, 14)]
    [InlineData(48, 70, 3, 2, 1, 1, 9)]
    [InlineData(32, 16, 4, 2, 1, 0, 16)]
    [InlineData(16, 33, 2, 4, 0, 1, 7)]
    public void Layers_of_common_models_equal_the_reference(int inputs, int outputs, int kernel, int stride, int padding, int outputPadding, int size)
    {
        var shape = new ConvTransposeShape(inputs, outputs, [kernel, kernel], [stride, stride], [padding, padding], [outputPadding, outputPadding]);
        ConvolutionCase.Create(shape, 2, [size, size], seed: inputs, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
    }

    [Property(MaxTest = 100)]
    public void Unpacking_gives_back_what_was_packed(Scheme scheme, int seed)
    {
        var random = new Random(seed);
        int groups = 1 + random.Next(4);
        var shape = new ConvTransposeShape(groups * (1 + random.Next(5)), groups * (1 + random.Next(20)), [1 + random.Next(4), 1 + random.Next(4)], [1 + random.Next(3), 1 + random.Next(3)], dilation: [1, 1 + random.Next(3)], groups: groups);
        Weights w = ConvolutionCase.TransposedWeights(shape, seed, scheme);
        PackedConvTranspose packed = PackedConvTranspose.Pack(w.Codes, shape, w.Scales, w.ZeroPoints);
        sbyte[] codes = new sbyte[w.Codes.Length];
        packed.Unpack(codes);
        Assert.Equal(w.Codes, codes);
        Assert.Equal(w.Scales, packed.Scales.ToArray());
        Assert.Equal(w.ZeroPoints.Length == 0 ? new int[w.Scales.Length] : w.ZeroPoints, packed.ZeroPoints.ToArray());
        Assert.Equal(shape, packed.Shape);
    }

    [Fact]
    public void Output_sizes_are_those_of_PyTorch()
    {
        Assert.Equal([28], new ConvTransposeShape(1, 1, [2], [2]).OutputSize([14]));
        Assert.Equal([18, 17], new ConvTransposeShape(1, 1, [3, 3], [2, 2], [1, 1], [1, 0]).OutputSize([9, 9]));
        Assert.Equal([1, 5, 9], new ConvTransposeShape(1, 1, [1, 3, 3], [3, 1, 2], dilation: [1, 2, 2]).OutputSize([1, 1, 3]));
        Assert.Equal(new ConvTransposeShape(4, 2, [3], [2]), new ConvTransposeShape(4, 2, [3], [2]));
        Assert.NotEqual(new ConvTransposeShape(4, 2, [3], [2]), new ConvTransposeShape(4, 2, [3], [2], outputPadding: [1]));
        Assert.Equal("4 -> 2, transposed, kernel (3), stride (2), padding (0), output padding (1), dilation (1), groups 1", new ConvTransposeShape(4, 2, [3], [2], outputPadding: [1]).ToString());
    }

    [Fact]
    public void Inputs_are_spread_as_the_kernel_says()
    {
        // Weights [1 input, 1 output, 3 elements] with stride 2: input i lands on 2i, 2i + 1 and 2i + 2.
        PackedConvTranspose packed = PackedConvTranspose.Pack([1, 10, 100], new ConvTransposeShape(1, 1, [3], [2]), [1f]);
        byte[] output = new byte[5];
        Int8ConvTranspose.Run([1, 2], 1, [2], new QParams(1, 0), packed, [], new QParams(1, 0), FusedActivation.None, output);
        Assert.Equal([1, 10, 102, 20, 200], output);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Nothing_is_allocated_in_the_steady_state(int threads)
    {
        PackedConvTranspose packed = PackedConvTranspose.Pack(new sbyte[16 * 40 * 9], new ConvTransposeShape(16, 40, [3, 3], [2, 2]), [1f], [3]);
        byte[] input = new byte[9 * 9 * 16], output = new byte[19 * 19 * 40];
        int[] size = [9, 9];
        Assert.Equal(0, Allocations.Least(() => Int8ConvTranspose.Run(input, 1, size, new QParams(1, 0), packed, [], new QParams(1, 0), FusedActivation.Relu, output, threads)));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named_with_what_was_found_and_expected()
    {
        Assert.Contains("outputPadding[0] is 2; expected less than 2, the larger of stride and dilation", Failure(() => _ = new ConvTransposeShape(1, 1, [3], [2], outputPadding: [2])));
        Assert.Contains("padding[0] is -1; expected at least 0", Failure(() => _ = new ConvTransposeShape(1, 1, [3], padding: [-1])));
        Assert.Contains("inChannels is 3; expected a multiple of the 2 groups", Failure(() => _ = new ConvTransposeShape(3, 2, [3], groups: 2)));
        Assert.Contains("inputSize[0] is 1, which gives an output of 3 - 2 * 2; expected 1 to", Failure(() => new ConvTransposeShape(1, 1, [3], padding: [2]).OutputSize([1])));
        Assert.Contains("weights has 5 elements; expected 6", Failure(() => PackedConvTranspose.Pack(new sbyte[5], new ConvTransposeShape(1, 2, [3]), [1f])));
        Assert.Contains("scales has 3 elements; expected 1 or 2", Failure(() => PackedConvTranspose.Pack(new sbyte[6], new ConvTransposeShape(1, 2, [3]), [1, 1, 1])));
        Assert.Contains("The weights of output 1 have the absolute sum", Failure(() => PackedConvTranspose.Pack([.. Enumerable.Repeat((sbyte)-128, 2 * 65_794)], new ConvTransposeShape(65_794, 2, [1]), [1f], [-128, 0])));

        PackedConvTranspose packed = PackedConvTranspose.Pack(new sbyte[6], new ConvTransposeShape(1, 2, [3]), [1f]);
        QParams one = new(1, 0);
        Assert.Contains("weights has 5 elements; expected 6", Failure(() => packed.Unpack(new sbyte[5])));
        Assert.Contains("input has 2 elements; expected 1", Failure(() => Int8ConvTranspose.Run(new byte[2], 1, [1], one, packed, [], one, FusedActivation.None, new byte[6])));
        Assert.Contains("output has 5 elements; expected 6", Failure(() => Int8ConvTranspose.Run(new byte[1], 1, [1], one, packed, [], one, FusedActivation.None, new byte[5])));
        Assert.Contains("bias has 1 elements; expected 2", Failure(() => Int8ConvTranspose.Run(new byte[1], 1, [1], one, packed, [1], one, FusedActivation.None, new byte[6])));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
