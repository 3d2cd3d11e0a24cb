using TorchQuant.Benchmarks.Convolution;
using TorchQuant.Benchmarks.LinearLayers;

namespace TorchQuant.Benchmarks.Scaling;

/// <summary>The cost of a linear layer against M, K and N, and of a convolution against the size of the image.</summary>
internal static class Sweeps
{
    private const int Middle = 1024, Rows = 128;

    public static IEnumerable<Sweep> All(bool quick)
    {
        int middle = quick ? 64 : Middle, rows = quick ? 8 : Rows;
        int[] sizes = quick ? [16, 64] : [64, 128, 256, 512, 1024, 2048, 4096];
        yield return Linear($"linear, K = N = {middle}", "M", quick ? [1, 8] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024], m => new LinearShape(m, middle, middle));
        yield return Linear($"linear, M = {rows}, N = {middle}", "K", sizes, k => new LinearShape(rows, k, middle));
        yield return Linear($"linear, M = {rows}, K = {middle}", "N", sizes, n => new LinearShape(rows, middle, n));
        yield return Linear($"linear, M = 1, N = {middle}", "K", sizes, k => new LinearShape(1, k, middle));
        yield return Convolutions("convolution 3x3 64->64", size => new ConvShape(1, 64, 64, 3, 1, size), quick);
        yield return Convolutions("convolution 3x3 depthwise 144", size => new ConvShape(1, 144, 144, 3, 1, size, 144), quick);
    }

    private static Sweep Linear(string name, string variable, int[] values, Func<int, LinearShape> shape) => new(
        name, variable, [.. values.Select(value => ((double)value, LinearMatches.Int8(shape(value))))]);

    private static Sweep Convolutions(string name, Func<int, ConvShape> shape, bool quick) => new(
        name, "image size", [.. (quick ? [7, 14] : (int[])[7, 14, 28, 56, 112]).Select(size => ((double)size, ConvMatches.Int8(shape(size))))]);
}
