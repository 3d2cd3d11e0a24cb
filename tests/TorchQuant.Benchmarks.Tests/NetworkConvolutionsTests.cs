using TorchQuant.Benchmarks.Convolution;
using Xunit;

namespace TorchQuant.Benchmarks.Tests;

public class NetworkConvolutionsTests
{
    [Fact]
    public void No_convolution_comes_twice_and_the_known_ones_are_there()
    {
        ConvShape[] shapes = [.. NetworkConvolutions.All(batch: 8)];
        Assert.Equal(shapes.Length, shapes.Distinct().Count());
        Assert.Equal(72, shapes.Length);
        Assert.Contains(new ConvShape(8, 3, 64, 7, 2, 224), shapes);
        Assert.Contains(new ConvShape(8, 512, 512, 3, 1, 7), shapes);
        Assert.Contains(new ConvShape(8, 1024, 2048, 1, 2, 14), shapes);
        Assert.Contains(new ConvShape(8, 960, 960, 3, 1, 7, 960), shapes);
        Assert.Contains(new ConvShape(8, 320, 1280, 1, 1, 7), shapes);
        Assert.Contains(new ConvShape(8, 672, 672, 5, 2, 14, 672), shapes);
    }

    [Fact]
    public void The_stem_of_ResNet_has_118_million_multiply_adds() => Assert.Equal(118_013_952, new ConvShape(1, 3, 64, 7, 2, 224).MultiplyAdds);
}
