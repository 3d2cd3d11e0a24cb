using Xunit;

namespace TorchQuant.Kernels.Tests;

public class ConvolutionShapeTests
{
    [Fact]
    public void Numbers_that_are_not_given_are_those_of_PyTorch()
    {
        var shape = new ConvolutionShape(6, 4, [3, 5], paddingBegin: [1, 2]);
        Assert.Equal((2, 6, 4, 1, PaddingMode.Zeros), (shape.Dimensions, shape.InChannels, shape.OutChannels, shape.Groups, shape.PaddingMode));
        Assert.Equal([3, 5], shape.Kernel.ToArray());
        Assert.Equal([1, 1], shape.Stride.ToArray());
        Assert.Equal([1, 1], shape.Dilation.ToArray());
        Assert.Equal([1, 2], shape.PaddingBegin.ToArray());
        Assert.Equal([1, 2], shape.PaddingEnd.ToArray());
        Assert.Equal([0, 0], new ConvolutionShape(6, 4, [3, 5]).PaddingEnd.ToArray());
    }

    [Fact]
    public void Output_sizes_are_those_of_PyTorch()
    {
        Assert.Equal([112, 112], new ConvolutionShape(3, 64, [7, 7], stride: [2, 2], paddingBegin: [3, 3]).OutputSize([224, 224]));
        Assert.Equal([56, 28], new ConvolutionShape(3, 64, [3, 3], stride: [1, 2], paddingBegin: [1, 1]).OutputSize([56, 56]));
        Assert.Equal([10], new ConvolutionShape(1, 1, [4], paddingBegin: [1], paddingEnd: [2]).OutputSize([10]));
        Assert.Equal([1, 2, 3], new ConvolutionShape(1, 1, [3, 3, 3], dilation: [2, 1, 1], stride: [9, 2, 1]).OutputSize([5, 5, 5]));
    }

    [Fact]
    public void Shapes_with_the_same_numbers_are_equal()
    {
        ConvolutionShape Create(int stride) => new(4, 8, [3, 3], stride: [stride, 1], paddingBegin: [1, 1], groups: 2, paddingMode: PaddingMode.Reflect);
        Assert.Equal(Create(1), Create(1));
        Assert.Equal(Create(1).GetHashCode(), Create(1).GetHashCode());
        Assert.NotEqual(Create(1), Create(2));
        Assert.NotEqual(Create(1), new ConvolutionShape(4, 8, [3, 3], stride: [1, 1], paddingBegin: [1, 1], paddingEnd: [1, 0], groups: 2, paddingMode: PaddingMode.Reflect));
        Assert.Equal("4 -> 8, kernel (3, 3), stride (2, 1), padding (1, 1) Reflect, dilation (1, 1), groups 2", Create(2).ToString());
    }

    [Fact]
    public void What_makes_no_convolution_is_refused_by_name()
    {
        Assert.Contains("kernel has 0 elements; expected 1 to 3", Failure(() => _ = new ConvolutionShape(1, 1, [])));
        Assert.Contains("kernel has 4 elements; expected 1 to 3", Failure(() => _ = new ConvolutionShape(1, 1, [1, 1, 1, 1])));
        Assert.Contains("kernel[1] is 0; expected at least 1", Failure(() => _ = new ConvolutionShape(1, 1, [1, 0])));
        Assert.Contains("stride[0] is 0; expected at least 1", Failure(() => _ = new ConvolutionShape(1, 1, [1], stride: [0])));
        Assert.Contains("stride has 1 elements; expected 2", Failure(() => _ = new ConvolutionShape(1, 1, [1, 1], stride: [1])));
        Assert.Contains("dilation[0] is 0; expected at least 1", Failure(() => _ = new ConvolutionShape(1, 1, [1], dilation: [0])));
        Assert.Contains("paddingBegin[0] is -1; expected at least 0", Failure(() => _ = new ConvolutionShape(1, 1, [1], paddingBegin: [-1])));
        Assert.Contains("paddingEnd[1] is -2; expected at least 0", Failure(() => _ = new ConvolutionShape(1, 1, [1, 1], paddingEnd: [0, -2])));
        Assert.Contains("inChannels is 0; expected at least 1", Failure(() => _ = new ConvolutionShape(0, 1, [1])));
        Assert.Contains("inChannels is 3; expected a multiple of the 2 groups", Failure(() => _ = new ConvolutionShape(3, 2, [1], groups: 2)));
        Assert.Contains("outChannels is 3; expected a multiple of the 2 groups", Failure(() => _ = new ConvolutionShape(2, 3, [1], groups: 2)));
        Assert.Contains("groups is 0; expected at least 1", Failure(() => _ = new ConvolutionShape(2, 3, [1], groups: 0)));
        Assert.Contains("paddingMode is 4; expected one of Zeros, Reflect, Replicate, Circular", Failure(() => _ = new ConvolutionShape(1, 1, [1], paddingMode: (PaddingMode)4)));
        Assert.Contains("kernel is (65536, 65536); expected fewer than", Failure(() => _ = new ConvolutionShape(1, 1, [65536, 65536])));
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused_with_what_would()
    {
        var valid = new ConvolutionShape(1, 1, [3, 3], dilation: [2, 1]);
        Assert.Contains("inputSize has 1 elements; expected 2", Failure(() => valid.OutputSize([5])));
        Assert.Contains("inputSize[1] is 0; expected at least 1", Failure(() => valid.OutputSize([5, 0])));
        Assert.Contains("inputSize[0] is 4, with padding 4; expected at least 5, what a kernel of 3 with dilation 2 covers", Failure(() => valid.OutputSize([4, 5])));
        Assert.Contains("The padding of dimension 0 is 3 in mode Reflect; expected at most 2 for an input of size 3",
            Failure(() => new ConvolutionShape(1, 1, [3], paddingBegin: [3], paddingMode: PaddingMode.Reflect).OutputSize([3])));
        Assert.Contains("The padding of dimension 0 is 4 in mode Circular; expected at most 3 for an input of size 3",
            Failure(() => new ConvolutionShape(1, 1, [3], paddingBegin: [0], paddingEnd: [4], paddingMode: PaddingMode.Circular).OutputSize([3])));
        Assert.Equal([9], new ConvolutionShape(1, 1, [3], paddingBegin: [4], paddingMode: PaddingMode.Replicate).OutputSize([3]));
    }

    private static string Failure(Action call) => Assert.ThrowsAny<ArgumentException>(call).Message;
}
