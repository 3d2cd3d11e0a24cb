using FsCheck.Xunit;
using Xunit;

namespace TorchQuant.Kernels.Tests.Pooling;

public class PoolingTests
{
    private const int Canaries = 70;

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_gives_the_largest_code_of_each_window(int seed)
    {
        var random = new Random(seed);
        (int batch, int depth, int height, int width, int channels, byte[] input) = Volume(random);
        PoolingDimension deep = Dimension(random, depth, dilation: 1), vertical = Dimension(random, height, dilation: random.Next(1, 3)), horizontal = Dimension(random, width, dilation: random.Next(1, 3));
        var grid = new PoolingGrid(batch, depth, height, width, channels, deep, vertical, horizontal);
        byte[] expected = Expected(grid, deep, vertical, horizontal, input, codes => codes.Max());
        foreach (Isa isa in Isa.Available)
        {
            byte[] found = Fresh(expected.Length);
            Int8MaxPool.Run(isa, input, grid, found.AsSpan(Canaries, expected.Length), threads: 1 + (seed & 1));
            AssertSame(expected, found, $"{isa} {channels} channels");
        }
    }

    [Property(EndSize = 1_000_000, MaxTest = 200)]
    public void Every_row_gives_the_rounded_mean_of_each_window(int seed)
    {
        var random = new Random(seed);
        (int batch, int depth, int height, int width, int channels, byte[] input) = Volume(random);
        PoolingDimension deep = Dimension(random, depth, dilation: 1), vertical = Dimension(random, height, dilation: 1), horizontal = Dimension(random, width, dilation: 1);
        var grid = new PoolingGrid(batch, depth, height, width, channels, deep, vertical, horizontal);
        int zeroPoint = Generators.QParams(seed).ZeroPoint, divisor = random.Next(1, 9);
        byte[] ofValues = Expected(grid, deep, vertical, horizontal, input, codes => Mean(codes, zeroPoint, codes.Count)), ofDivisor = Expected(grid, deep, vertical, horizontal, input, codes => Mean(codes, zeroPoint, divisor));
        foreach (Isa isa in Isa.Available)
        {
            byte[] found = Fresh(ofValues.Length);
            Int8AveragePool.Run(isa, input, grid, zeroPoint, found.AsSpan(Canaries, ofValues.Length), countIncludePad: false, divisor: 0, threads: 1 + (seed & 1));
            AssertSame(ofValues, found, $"{isa} {channels} channels");
            Int8AveragePool.Run(isa, input, grid, zeroPoint, found.AsSpan(Canaries, ofValues.Length), countIncludePad: false, divisor, threads: 1);
            AssertSame(ofDivisor, found, $"{isa} {channels} channels, divisor {divisor}");
        }
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(1, 2, 3)]
    [InlineData(2, 1, 2)]
    public void Averages_of_more_codes_than_16_bits_hold_are_right(int outputDepth, int outputHeight, int outputWidth)
    {
        const int depth = 3, height = 31, width = 27, channels = 67;
        byte[] input = [.. Enumerable.Repeat((byte)255, depth * height * width * channels)];
        for (int i = 0; i < input.Length; i += 97)
            input[i] = 0;
        foreach (Isa isa in Isa.Available)
        {
            byte[] found = new byte[outputDepth * outputHeight * outputWidth * channels], expected = new byte[found.Length];
            for (int o = 0; o < expected.Length; o++)
            {
                (int z, int y, int x, int c) = (o / channels / outputWidth / outputHeight, o / channels / outputWidth % outputHeight, o / channels % outputWidth, o % channels);
                var codes = new List<byte>();
                foreach (int k in Evenly(z, depth, outputDepth))
                {
                    foreach (int i in Evenly(y, height, outputHeight))
                        codes.AddRange(Evenly(x, width, outputWidth).Select(j => input[((k * height + i) * width + j) * channels + c]));
                }

                expected[o] = Mean(codes, 7, codes.Count);
            }

            Int8AveragePool.Run(isa, input, new PoolingGrid(1, depth, height, width, channels, outputDepth, outputHeight, outputWidth), 7, found, countIncludePad: true, divisor: 0, threads: 2);
            Assert.Equal(expected, found);
        }
    }

    [Theory]
    [InlineData(3, 2, 1, 1)]
    [InlineData(2, 2, 0, 1)]
    [InlineData(3, 1, 1, 2)]
    [InlineData(1, 3, 0, 1)]
    public void Pictures_that_no_near_cache_holds_are_pooled_alike(int kernel, int stride, int padding, int dilation)
    {
        const int batch = 2, height = 70, width = 66, channels = 64;
        byte[] input = Generators.Activations(batch * height * width * channels, kernel);
        PoolingDimension flat = new(1, 1), dimension = new(kernel, stride, padding, dilation);
        var grid = new PoolingGrid(batch, height, width, channels, dimension, dimension);
        byte[] expected = Expected(grid, flat, dimension, dimension, input, codes => codes.Max());
        foreach (Isa isa in Isa.Available)
        {
            byte[] found = Fresh(expected.Length);
            Int8MaxPool.Run(isa, input, grid, found.AsSpan(Canaries, expected.Length), threads: 2);
            AssertSame(expected, found, $"{isa}");
        }
    }

    [Fact]
    public void Pictures_are_volumes_of_the_depth_one()
    {
        byte[] input = Generators.Activations(2 * 7 * 6 * 5, 3), picture = new byte[2 * 3 * 3 * 5], volume = new byte[picture.Length];
        PoolingDimension vertical = new(3, 2), horizontal = new(2, 2), flat = new(1, 1);
        Int8MaxPool.Run(input, 2, 7, 6, 5, vertical, horizontal, picture);
        Int8MaxPool.Run(input, 2, 1, 7, 6, 5, flat, vertical, horizontal, volume);
        Assert.Equal(picture, volume);
        Int8AveragePool.Run(input, 2, 7, 6, 5, vertical, horizontal, 9, picture);
        Int8AveragePool.Run(input, 2, 1, 7, 6, 5, flat, vertical, horizontal, 9, volume);
        Assert.Equal(picture, volume);
        Int8AveragePool.RunAdaptive(input, 2, 7, 6, 5, 3, 3, 9, picture);
        Int8AveragePool.RunAdaptive(input, 2, 1, 7, 6, 5, 1, 3, 3, 9, volume);
        Assert.Equal(picture, volume);
    }

    [Fact]
    public void What_has_no_meaning_is_refused_by_name()
    {
        PoolingDimension two = new(2, 2);
        Assert.Contains("vertical has the padding 2; expected 0 to 1", Refusal(() => Int8MaxPool.Run(new byte[16], 1, 4, 4, 1, two with { Padding = 2 }, two, new byte[4])));
        Assert.Contains("vertical has the kernel 0, the stride 2 and the dilation 1", Refusal(() => Int8MaxPool.Run(new byte[16], 1, 4, 4, 1, two with { Kernel = 0 }, two, new byte[4])));
        Assert.Contains("horizontal: an input of the size 1 is too small", Refusal(() => Int8MaxPool.Run(new byte[4], 1, 4, 1, 1, two, two, new byte[4])));
        Assert.Contains("vertical: a window has all of its elements in the padding", Refusal(() => Int8MaxPool.Run(new byte[2], 1, 1, 2, 1, new PoolingDimension(2, 1, 1, 2), two, new byte[4])));
        Assert.Contains("input has 15 elements; expected 16", Refusal(() => Int8MaxPool.Run(new byte[15], 1, 4, 4, 1, two, two, new byte[4])));
        Assert.Contains("output has 5 elements; expected 4", Refusal(() => Int8AveragePool.Run(new byte[16], 1, 4, 4, 1, two, two, 0, new byte[5])));
        Assert.Contains("dilations 2 and 1; expected 1", Refusal(() => Int8AveragePool.Run(new byte[16], 1, 4, 4, 1, two with { Dilation = 2 }, two, 0, new byte[4])));
        Assert.Contains("dilations 3, 1 and 1; expected 1", Refusal(() => Int8AveragePool.Run(new byte[16], 1, 1, 4, 4, 1, two with { Dilation = 3 }, two, two, 0, new byte[4])));
        Assert.Contains("deep: an input of the size 1 is too small", Refusal(() => Int8MaxPool.Run(new byte[16], 1, 1, 4, 4, 1, two, two, two, new byte[4])));
        Assert.Contains("outputDepth is 0", Refusal(() => Int8AveragePool.RunAdaptive(new byte[16], 1, 1, 4, 4, 1, 0, 1, 1, 0, new byte[1])));
        Assert.Contains("zero point 256", Refusal(() => Int8AveragePool.RunAdaptive(new byte[16], 1, 4, 4, 1, 1, 1, 256, new byte[1])));
        Assert.Contains("outputWidth is 0", Refusal(() => Int8AveragePool.RunAdaptive(new byte[16], 1, 4, 4, 1, 1, 0, 0, new byte[1])));
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        byte[] input = new byte[8 * 8 * 32], output = new byte[4 * 4 * 32];
        PoolingDimension two = new(2, 2);
        Assert.Equal(0, Allocations.Least(() => Int8MaxPool.Run(input, 1, 8, 8, 32, two, two, output)));
        Assert.Equal(0, Allocations.Least(() => Int8AveragePool.Run(input, 1, 8, 8, 32, two, two, 3, output)));
        Assert.Equal(0, Allocations.Least(() => Int8MaxPool.Run(input, 1, 2, 4, 8, 32, new PoolingDimension(1, 2), two, new PoolingDimension(1, 1), output)));
    }

    private static string Refusal(Action action) => Assert.ThrowsAny<ArgumentException>(action).Message;

    private static (int Batch, int Depth, int Height, int Width, int Channels, byte[] Codes) Volume(Random random)
    {
        int[] counts = [1, 2, 3, 4, 5, 8, 16, 31, 32, 33, 63, 64, 65, 127, 128, 130];
        int depth = random.Next(2) == 0 ? 1 : random.Next(2, 5);
        (int batch, int height, int width, int channels) = (random.Next(1, 3), random.Next(2, 9), random.Next(2, 9), counts[random.Next(counts.Length)]);
        return (batch, depth, height, width, channels, Generators.Activations(batch * depth * height * width * channels, random.Next()));
    }

    private static IEnumerable<int> Evenly(int output, int input, int outputs)
    {
        int start = output * input / outputs;
        return Enumerable.Range(start, ((output + 1) * input + outputs - 1) / outputs - start);
    }

    private static PoolingDimension Dimension(Random random, int size, int dilation)
    {
        while (true)
        {
            int kernel = random.Next(1, 5);
            var dimension = new PoolingDimension(kernel, random.Next(1, 4), random.Next(kernel / 2 + 1), dilation, random.Next(2) == 0);
            if (dimension.OutputSize(size) >= 1)
                return dimension;
        }
    }

    private static byte[] Expected(PoolingGrid grid, PoolingDimension deep, PoolingDimension vertical, PoolingDimension horizontal, byte[] input, Func<List<byte>, byte> pool)
    {
        byte[] expected = new byte[grid.Batch * grid.OutputDepth * grid.OutputHeight * grid.OutputWidth * grid.Channels];
        for (int o = 0; o < expected.Length; o++)
        {
            (int rest, int c) = Math.DivRem(o, grid.Channels);
            (rest, int x) = Math.DivRem(rest, grid.OutputWidth);
            (rest, int y) = Math.DivRem(rest, grid.OutputHeight);
            (int b, int z) = Math.DivRem(rest, grid.OutputDepth);
            var codes = new List<byte>();
            foreach (int plane in Inside(deep, z, grid.Depth))
            {
                foreach (int row in Inside(vertical, y, grid.Height))
                    codes.AddRange(Inside(horizontal, x, grid.Width).Select(column => input[(((b * grid.Depth + plane) * grid.Height + row) * grid.Width + column) * grid.Channels + c]));
            }

            expected[o] = pool(codes);
        }

        return expected;
    }

    private static IEnumerable<int> Inside(PoolingDimension dimension, int output, int size) =>
        Enumerable.Range(0, dimension.Kernel).Select(k => output * dimension.Stride - dimension.Padding + k * dimension.Dilation).Where(position => position >= 0 && position < size);

    private static byte Mean(List<byte> codes, int zeroPoint, int divisor) =>
        (byte)Math.Clamp(MathF.Round(codes.Sum(code => code - zeroPoint) * (1f / divisor), MidpointRounding.ToEven) + zeroPoint, 0, 255);

    private static byte[] Fresh(int length) => [.. Enumerable.Repeat((byte)99, length + 2 * Canaries)];

    private static void AssertSame(byte[] expected, byte[] found, string what)
    {
        byte[] whole = [.. Enumerable.Repeat((byte)99, Canaries), .. expected, .. Enumerable.Repeat((byte)99, Canaries)];
        int same = whole.AsSpan().CommonPrefixLength(found);
        Assert.True(same == whole.Length, same == whole.Length ? "" : $"{what}: code {same - Canaries} is {found[same]}, expected {whole[same]}");
    }
}
