using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests;

public class Int8ConvolutionTests
{
    public static TheoryData<Isa> EveryIsa => [.. Isa.Available];

    [Property(MaxTest = 250)]
    public void Every_kernel_equals_the_reference_bit_for_bit(Scheme scheme, int seed)
    {
        var random = new Random(seed);
        int groups = random.Next(3) switch { 0 => 1, 1 => 1 + random.Next(6), _ => 1 + random.Next(40) };
        (ConvolutionShape shape, int[] inputSize) = Shape(random, groups, 1 + random.Next(groups == 1 ? 40 : 4), 1 + random.Next(groups == 1 ? 70 : 5));
        ConvolutionCase.Create(shape, 1 + random.Next(3), inputSize, seed, scheme).AssertEveryKernelEqualsTheReference();
    }

    [Property(MaxTest = 250)]
    public void Depthwise_kernels_equal_the_reference_bit_for_bit(Scheme scheme, int seed)
    {
        var random = new Random(seed);
        (ConvolutionShape shape, int[] inputSize) = Shape(random, 2 + random.Next(80), 1, 1 + random.Next(random.Next(2) == 0 ? 1 : 5));
        ConvolutionCase.Create(shape, 1 + random.Next(2), inputSize, seed, scheme).AssertEveryKernelEqualsTheReference();
    }

    [Fact]
    public void Every_number_of_input_and_output_channels_equals_the_reference()
    {
        for (int channels = 1; channels <= 70; channels++)
        {
            ConvolutionCase.Create(new ConvolutionShape(channels, channels % 9 + 1, [2, 3], paddingBegin: [1, 1]), 1, [3, 5], channels, (Scheme)(channels % 4)).AssertEveryKernelEqualsTheReference();
            ConvolutionCase.Create(new ConvolutionShape(channels % 7 + 1, channels, [1, 2]), 1, [4, 4], channels, (Scheme)(channels % 4)).AssertEveryKernelEqualsTheReference();
            ConvolutionCase.Create(new ConvolutionShape(channels, 33, [1, 1]), 2, [2, 5], channels, (Scheme)(channels / 2 % 4)).AssertEveryKernelEqualsTheReference();
            ConvolutionCase.Create(new ConvolutionShape(channels, channels, [3, 3], paddingBegin: [1, 1], groups: channels), 1, [3, 4], channels, (Scheme)(channels / 3 % 4)).AssertEveryKernelEqualsTheReference();
        }
    }

    [Theory]
    [InlineData(3, 64, 7, 2, 3, 1, 33)]
    [InlineData(64, 64, 3, 1, 1, 1, 28)]
    [InlineData(64, 128, 3, 2, 1, 1, 28)]
    [InlineData(64, 100, 1, 2, 0, 1, 28)]
    [InlineData(64, 256, 1, 1, 0, 1, 28)]
    [InlineData(512, 40, 3, 1, 1, 1, 7)]
    [InlineData(128, 128, 3, 1, 1, 32, 14)]
    [InlineData(96, 96, 3, 2, 1, 96, 75)]
    [InlineData(144, 144, 3, 1, 1, 144, 28)]
    [InlineData(72, 72, 5, 2, 2, 72, 28)]
    [InlineData(40, 40, 5, 1, 2, 40, 14)]
    public void Layers_of_common_models_equal_the_reference(int inputs, int outputs, int kernel, int stride, int padding, int groups, int size)
    {
        var shape = new ConvolutionShape(inputs, outputs, [kernel, kernel], [stride, stride], [padding, padding], groups: groups);
        ConvolutionCase.Create(shape, 1, [size, size], seed: inputs + kernel, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
    }

    /// <summary>Rows in several parts, images in several pieces, several images in one block, with and without padding, short rows two to a tile.</summary>
    [Theory]
    [InlineData(64, 33, 1, 3000, 3, 1, 0, 1)]
    [InlineData(64, 33, 1, 3000, 3, 1, 1, 1)]
    [InlineData(64, 18, 81, 80, 3, 1, 1, 1)]
    [InlineData(64, 8, 81, 80, 3, 2, 0, 1)]
    [InlineData(16, 40, 7, 7, 3, 1, 1, 5)]
    [InlineData(256, 40, 7, 5, 3, 1, 1, 3)]
    [InlineData(16, 40, 6, 4, 3, 1, 1, 5)]
    [InlineData(64, 40, 9, 10, 1, 2, 0, 3)]
    [InlineData(40, 40, 9, 33, 1, 1, 2, 1)]
    public void Windows_of_every_division_equal_the_reference(int inputs, int outputs, int height, int width, int kernel, int stride, int padding, int batch)
    {
        int high = Math.Min(kernel, height), aside = height > 1 ? padding : 0;
        foreach (Scheme scheme in (Scheme[])[Scheme.PerTensorSymmetric, Scheme.PerChannelAffine])
        {
            var shape = new ConvolutionShape(inputs, outputs, [high, kernel], [stride, stride], [aside, padding]);
            ConvolutionCase.Create(shape, batch, [height, width], seed: stride + padding, scheme).AssertEveryKernelEqualsTheReference();
        }
    }

    /// <summary>Rows of the kernel that are no multiple of four codes: all numbers of channels, paddings, strides, both numbers of dimensions, rows in several parts.</summary>
    [Fact]
    public void Inputs_of_few_channels_equal_the_reference()
    {
        for (int channels = 1; channels <= 9; channels++)
        {
            foreach (PaddingMode mode in Enum.GetValues<PaddingMode>())
            {
                foreach (int stride in (int[])[1, 2, 3])
                {
                    int seed = 10 * channels + stride;
                    var plane = new ConvolutionShape(channels, 5 + 9 * channels, [1 + seed % 4, stride + 2], [stride, stride], [seed % 2, 2], dilation: [1 + seed % 2, 1], paddingMode: mode);
                    ConvolutionCase.Create(plane, 2, [9 + seed % 5, 5 + seed % 30], seed, (Scheme)(seed % 4)).AssertEveryKernelEqualsTheReference();
                    ConvolutionCase.Create(new ConvolutionShape(channels, 33, [5], [stride], [4], paddingMode: mode), 1, [300 * stride + seed], seed, (Scheme)(seed / 3 % 4)).AssertEveryKernelEqualsTheReference();
                }
            }
        }
    }

    /// <summary>Whole and partial blocks of 64 channels, rows in one and several parts, all borders.</summary>
    [Theory]
    [InlineData(3, 3)]
    [InlineData(4, 2)]
    [InlineData(1, 3)]
    [InlineData(2, 1)]
    [InlineData(5, 5)]
    [InlineData(7, 7)]
    [InlineData(6, 2)]
    [InlineData(2, 4)]
    [InlineData(9, 3)]
    public void Depthwise_kernels_of_every_padding_and_stride_equal_the_reference(int high, int wide)
    {
        int seed = 0;
        foreach (int channels in (int[])[7, 16, 30, 32, 33, 64, 80, 96, 120, 128])
        {
            foreach (PaddingMode mode in Enum.GetValues<PaddingMode>())
            {
                foreach ((int stride, int size) in (ReadOnlySpan<(int, int)>)[(1, 5), (2, 9), (1, 14), (2, 3), (3, 8)])
                {
                    int[] inputSize = [Math.Max(size, high), Math.Max(size, wide) + seed % 9];
                    var shape = new ConvolutionShape(channels, channels, [high, wide], [stride, 1 + (size + seed) % 2], [high / 2, wide / 2], groups: channels, paddingMode: mode);
                    ConvolutionCase.Create(shape, 1 + seed % 2, inputSize, seed++, (Scheme)(seed / 3 % 4)).AssertEveryKernelEqualsTheReference();
                }
            }
        }
    }

    /// <summary>All heights and widths, with and without dilation in each dimension.</summary>
    [Fact]
    public void Depthwise_kernels_of_every_size_and_dilation_equal_the_reference()
    {
        for (int high = 1; high <= 9; high++)
        {
            for (int wide = 1; wide <= 7; wide++)
            {
                int seed = 7 * high + wide, channels = 1 + 37 * seed % 150;
                int[] dilation = [1 + seed % 3 / 2, 1 + seed % 5 / 3];
                var shape = new ConvolutionShape(channels, channels, [high, wide], [1 + seed % 2, 1 + seed % 4], [high / 2, wide / 2], dilation: dilation, groups: channels);
                ConvolutionCase.Create(shape, 1, [dilation[0] * high + seed % 6, dilation[1] * wide + seed % 11], seed, (Scheme)(seed % 4)).AssertEveryKernelEqualsTheReference();
            }
        }
    }

    /// <summary>One plane between two of padding: where the depth has a stride, the only output may see no element of the input at all.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Depthwise_kernels_of_padded_planes_equal_the_reference(int stride)
    {
        foreach (PaddingMode mode in (PaddingMode[])[PaddingMode.Zeros, PaddingMode.Replicate])
        {
            var shape = new ConvolutionShape(48, 48, [1, 3, 3], [stride, 1, 1], [1, 1, 1], groups: 48, paddingMode: mode);
            ConvolutionCase.Create(shape, 2, [1, 6, 7], seed: stride, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
        }
    }

    [Fact]
    public void Depthwise_rows_that_are_longer_than_a_block_equal_the_reference()
    {
        ConvolutionCase.Create(new ConvolutionShape(35, 35, [3, 3], paddingBegin: [1, 1], groups: 35), 1, [5, 300], seed: 3, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(80, 80, [3, 3], paddingBegin: [1, 1], groups: 80), 2, [4, 301], seed: 6, Scheme.PerTensorSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(70, 70, [3, 3], [1, 2], [1, 1], groups: 70), 1, [35, 270], seed: 7, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(70, 70, [5, 5], [2, 1], [2, 2], groups: 70), 2, [37, 120], seed: 8, Scheme.PerTensorSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(64, 64, [31, 31], paddingBegin: [15, 15], groups: 64), 1, [17, 21], seed: 9, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(64, 64, [50, 50], paddingBegin: [25, 25], groups: 64), 1, [3, 2], seed: 10, Scheme.PerChannelSymmetric).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(3, 6, [5], [40], [2], dilation: [7], groups: 3), 2, [3000], seed: 4, Scheme.PerChannelAffine).AssertEveryKernelEqualsTheReference();
        ConvolutionCase.Create(new ConvolutionShape(2, 2, [1500], [3], groups: 2), 1, [1510], seed: 5, Scheme.PerTensorAffine).AssertEveryKernelEqualsTheReference();
    }

    [Theory]
    [MemberData(nameof(EveryIsa))]
    public void The_number_of_threads_changes_no_bit(Isa isa)
    {
        foreach (ConvolutionShape shape in new ConvolutionShape[] { new(32, 96, [3, 3]), new(200, 200, [3, 3], groups: 200), new(64, 70, [1, 1]), new(64, 64, [3, 3], groups: 2) })
        {
            ConvolutionCase one = ConvolutionCase.Create(shape, 1, [12, 12], seed: 5, Scheme.PerChannelAffine);
            for (int threads = 1; threads <= 5; threads++)
                one.AssertEqualsReference(isa, threads);
        }
    }

    [Fact]
    public void Identity_weights_give_back_the_input()
    {
        // A kernel that is 1 at its centre, scales and zero points the same on both sides.
        sbyte[] weights = new sbyte[2 * 2 * 3];
        weights[1] = weights[3 * 3 + 1] = 1;
        PackedConvolution packed = PackedConvolution.Pack(weights, new ConvolutionShape(2, 2, [3], paddingBegin: [1]), [1f]);
        byte[] input = [0, 255, 7, 9, 128, 3], output = new byte[6];
        Int8Convolution.Run(input, 1, [3], new QParams(0.5f, 9), packed, [], new QParams(0.5f, 9), FusedActivation.None, output);
        Assert.Equal(input, output);
        Int8Convolution.Run(input, 3, [1], new QParams(0.5f, 9), packed, [], new QParams(0.5f, 9), FusedActivation.Relu, output);
        Assert.Equal([9, 255, 9, 9, 128, 9], output);
    }

    [Theory]
    [InlineData(PaddingMode.Zeros, new byte[] { 10, 10, 1, 2, 3, 10, 10 })]
    [InlineData(PaddingMode.Reflect, new byte[] { 3, 2, 1, 2, 3, 2, 1 })]
    [InlineData(PaddingMode.Replicate, new byte[] { 1, 1, 1, 2, 3, 3, 3 })]
    [InlineData(PaddingMode.Circular, new byte[] { 2, 3, 1, 2, 3, 1, 2 })]
    public void Padding_is_what_PyTorch_puts_there(PaddingMode mode, byte[] expected)
    {
        PackedConvolution packed = PackedConvolution.Pack([1], new ConvolutionShape(1, 1, [1], paddingBegin: [2], paddingMode: mode), [1f]);
        byte[] output = new byte[7];
        Int8Convolution.Run([1, 2, 3], 1, [3], new QParams(1, 10), packed, [], new QParams(1, 10), FusedActivation.None, output);
        Assert.Equal(expected, output);
    }

    [Theory]
    [InlineData(16, 24, 3, 1)]
    [InlineData(16, 24, 1, 1)]
    [InlineData(48, 48, 3, 48)]
    [InlineData(48, 96, 3, 6)]
    public void Nothing_is_allocated_in_the_steady_state(int inputs, int outputs, int kernel, int groups)
    {
        var shape = new ConvolutionShape(inputs, outputs, [kernel, kernel], groups: groups);
        PackedConvolution symmetric = PackedConvolution.Pack(new sbyte[outputs * inputs / groups * kernel * kernel], shape, [1f]);
        PackedConvolution affine = PackedConvolution.Pack(new sbyte[outputs * inputs / groups * kernel * kernel], shape, [1f], [3]);
        int size = 14 - kernel + 1;
        byte[] input = new byte[14 * 14 * inputs], output = new byte[size * size * outputs], residual = new byte[output.Length];
        int[] inputSize = [14, 14];
        foreach (int threads in (int[])[1, 2])
        {
            Assert.Equal(0, Allocations.Least(() => Int8Convolution.Run(input, 1, inputSize, new QParams(1, 0), symmetric, [], new QParams(1, 0), FusedActivation.Relu, output, threads)));
            Assert.Equal(0, Allocations.Least(() => Int8Convolution.Run(input, 1, inputSize, new QParams(1, 0), affine, [], new QParams(1, 0), FusedActivation.Relu, output, threads)));
            Assert.Equal(0, Allocations.Least(() => Int8Convolution.Run(
                input, 1, inputSize, new QParams(1, 0), symmetric, [], new QParams(1, 0), FusedActivation.Relu, new Residual(residual, new QParams(1, 0), new QParams(1, 0)), output, threads)));
        }
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_named_with_what_was_found_and_expected()
    {
        PackedConvolution packed = PackedConvolution.Pack(new sbyte[4 * 2 * 9], new ConvolutionShape(2, 4, [3, 3]), [1f]);
        QParams one = new(1, 0);
        Int8Convolution.Run([], 0, [3, 3], one, packed, [], one, FusedActivation.None, []);
        Assert.Contains("input has 17 elements; expected 18 (1 images of 3 x 3 positions with 2 channels)", Failure(() => Int8Convolution.Run(new byte[17], 1, [3, 3], one, packed, [], one, FusedActivation.None, new byte[4])));
        Assert.Contains("output has 5 elements; expected 4 (1 images of 1 x 1 positions with 4 channels)", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], one, packed, [], one, FusedActivation.None, new byte[5])));
        Assert.Contains("inputSize has 1 elements; expected 2", Failure(() => Int8Convolution.Run(new byte[18], 1, [9], one, packed, [], one, FusedActivation.None, new byte[4])));
        Assert.Contains("inputSize[0] is 2, with padding 2; expected at least 3", Failure(() => Int8Convolution.Run(new byte[18], 1, [2, 3], one, packed, [], one, FusedActivation.None, new byte[4])));
        Assert.Contains("bias has 3 elements; expected 4", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], one, packed, new float[3], one, FusedActivation.None, new byte[4])));
        Assert.Contains("batch is -1", Failure(() => Int8Convolution.Run(new byte[18], -1, [3, 3], one, packed, [], one, FusedActivation.None, new byte[4])));
        Assert.Contains("threads is 0", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], one, packed, [], one, FusedActivation.None, new byte[4], threads: 0)));
        Assert.Contains("inputParams has the zero point 256", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], new QParams(1, 256), packed, [], one, FusedActivation.None, new byte[4])));
        Assert.Contains("outputParams has the scale 0", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], one, packed, [], new QParams(0, 0), FusedActivation.None, new byte[4])));
        Assert.Contains("activation is 9; expected one of None, Relu, Relu6, Hardswish", Failure(() => Int8Convolution.Run(new byte[18], 1, [3, 3], one, packed, [], one, (FusedActivation)9, new byte[4])));
    }

    [Fact]
    public void Residuals_that_do_not_fit_are_named_with_what_was_found_and_expected()
    {
        PackedConvolution packed = PackedConvolution.Pack(new sbyte[4 * 2 * 9], new ConvolutionShape(2, 4, [3, 3]), [1f]);
        QParams one = new(1, 0);
        byte[] input = new byte[18], output = new byte[8];
        string Refused(ArraySegment<byte> codes, QParams codeParams, QParams sumParams) => Failure(() =>
            Int8Convolution.Run(input, 1, [3, 3], one, packed, [], one, FusedActivation.None, new Residual(codes, codeParams, sumParams), output.AsSpan(0, 4)));
        Assert.Contains("residual has 3 elements; expected 4 (as many as output)", Refused(new byte[3], one, one));
        Assert.Contains("residual overlaps output; expected memory of its own", Refused(new ArraySegment<byte>(output, 3, 4), one, one));
        Assert.Contains("residual.CodeParams has the zero point 256", Refused(new byte[4], new QParams(1, 256), one));
        Assert.Contains("residual.SumParams has the scale 0", Refused(new byte[4], one, new QParams(0, 0)));
        PackedWeights weights = PackedWeights.Pack(new sbyte[8], 4, 2, [1f]);
        Assert.Contains("residual has 5 elements; expected 4", Failure(() => Int8Gemm.MultiplyToByte(new byte[2], 1, one, weights, [], one, FusedActivation.None, new Residual(new byte[5], one, one), new byte[4])));
    }

    /// <summary>A shape and an input that fits it: every dimension, kernel, stride, dilation, padding and padding mode.</summary>
    private static (ConvolutionShape Shape, int[] InputSize) Shape(Random random, int groups, int inputsOfGroup, int outputsOfGroup)
    {
        int dimensions = 1 + random.Next(3), most = dimensions == 3 ? 3 : dimensions == 2 ? 5 : 9;
        bool isPlain = random.Next(4) == 0;
        int[] Numbers(int from, int to) => [.. Enumerable.Range(0, dimensions).Select(_ => isPlain && from > 0 ? 1 : random.Next(from, to))];
        int[] kernel = [.. Enumerable.Range(0, dimensions).Select(_ => 1 + random.Next(random.Next(4) == 0 ? 1 : most))];
        (int[] stride, int[] dilation, int[] begin) = (Numbers(1, 4), Numbers(1, 4), Numbers(0, 4));
        int[] end = random.Next(2) == 0 ? begin : Numbers(0, 4);
        var mode = (PaddingMode)random.Next(4);
        // As small as the kernel and the padding mode allow, or long enough for several blocks.
        int[] size = [.. Enumerable.Range(0, dimensions).Select(d => Math.Max(Math.Max(dilation[d] * (kernel[d] - 1) + 1 - begin[d] - end[d], 1), mode switch
        {
            PaddingMode.Reflect => Math.Max(begin[d], end[d]) + 1,
            PaddingMode.Circular => Math.Max(begin[d], end[d]),
            _ => 1,
        }) + (random.Next(3) == 0 ? 0 : random.Next(dimensions == 1 ? 150 : dimensions == 2 ? 15 : 6)))];
        return (new ConvolutionShape(groups * inputsOfGroup, groups * outputsOfGroup, kernel, stride, begin, end, dilation, groups, mode), size);
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
