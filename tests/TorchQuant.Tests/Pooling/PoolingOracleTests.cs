using FsCheck.Xunit;
using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using Xunit;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Pooling;

/// <summary>Our pooling and interpolation against libtorch's own on quint8 tensors with the channels last.</summary>
public class PoolingOracleTests
{
    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Max_pooling_gives_the_codes_of_libtorch(int seed)
    {
        var random = new Random(seed);
        var picture = Picture.Of(random);
        PoolingDimension vertical = Dimension(random, dilated: true), horizontal = Dimension(random, dilated: true) with { CeilMode = vertical.CeilMode };
        if (vertical.OutputSize(picture.Height) < 1 || horizontal.OutputSize(picture.Width) < 1)
            return;
        if (vertical.Dilation > picture.Height || horizontal.Dilation > picture.Width)
            return; // a window may lie in the padding alone: refused
        using var scope = NewDisposeScope();
        var expected = nn.functional.max_pool2d(picture.Tensor(), [vertical.Kernel, horizontal.Kernel], [vertical.Stride, horizontal.Stride], [vertical.Padding, horizontal.Padding],
            [vertical.Dilation, horizontal.Dilation], vertical.CeilMode);
        var found = new byte[expected.numel()];
        Int8MaxPool.Run(picture.Codes, picture.Batch, picture.Height, picture.Width, picture.Channels, vertical, horizontal, found, threads: 1 + random.Next(2));
        AssertSame(expected, found, $"{picture} {vertical} {horizontal}");
    }

    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Average_pooling_gives_the_codes_of_libtorch(int seed)
    {
        var random = new Random(seed);
        var picture = Picture.Of(random);
        PoolingDimension vertical = Dimension(random, dilated: false), horizontal = Dimension(random, dilated: false) with { CeilMode = vertical.CeilMode };
        if (vertical.OutputSize(picture.Height) < 1 || horizontal.OutputSize(picture.Width) < 1)
            return;
        var include = random.Next(2) == 0;
        var divisor = random.Next(3) == 0 ? random.Next(1, 12) : 0;
        using var scope = NewDisposeScope();
        var expected = nn.functional.avg_pool2d(picture.Tensor(), [vertical.Kernel, horizontal.Kernel], [vertical.Stride, horizontal.Stride], [vertical.Padding, horizontal.Padding],
            vertical.CeilMode, include, divisor == 0 ? null : divisor);
        var found = new byte[expected.numel()];
        Int8AveragePool.Run(picture.Codes, picture.Batch, picture.Height, picture.Width, picture.Channels, vertical, horizontal, picture.QParams.ZeroPoint, found, include, divisor, threads: 1 + random.Next(2));
        AssertSame(expected, found, $"{picture} {vertical} {horizontal} include {include} divisor {divisor}");
    }

    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Adaptive_average_pooling_gives_the_codes_of_libtorch(int seed)
    {
        var random = new Random(seed);
        var picture = Picture.Of(random);
        int height = random.Next(3) == 0 ? 1 : random.Next(1, 9), width = random.Next(3) == 0 ? 1 : random.Next(1, 9);
        using var scope = NewDisposeScope();
        var expected = nn.functional.adaptive_avg_pool2d(picture.Tensor(), [height, width]);
        var found = new byte[expected.numel()];
        Int8AveragePool.RunAdaptive(picture.Codes, picture.Batch, picture.Height, picture.Width, picture.Channels, height, width, picture.QParams.ZeroPoint, found, threads: 1 + random.Next(2));
        AssertSame(expected, found, $"{picture} to {height}, {width}");
    }

    [Property(EndSize = 1_000_000, MaxTest = 400)]
    public void Interpolation_gives_the_codes_of_libtorch(int seed)
    {
        var random = new Random(seed);
        var picture = Picture.Of(random);
        var bySize = random.Next(2) == 0;
        double verticalFactor = random.Next(1, 12) / 4.0, horizontalFactor = random.Next(1, 12) / 3.0;
        int height = bySize ? random.Next(1, 20) : (int)Math.Floor(picture.Height * verticalFactor), width = bySize ? random.Next(1, 20) : (int)Math.Floor(picture.Width * horizontalFactor);
        if (height == 0 || width == 0)
            return;
        var corners = random.Next(2) == 0;
        long[]? size = bySize ? [height, width] : null;
        double[]? factors = bySize ? null : [verticalFactor, horizontalFactor];
        UpsampleDimension vertical = new(picture.Height, height, bySize ? 0 : verticalFactor), horizontal = new(picture.Width, width, bySize ? 0 : horizontalFactor);
        using var scope = NewDisposeScope();
        var nearest = nn.functional.interpolate(picture.Tensor(), size, factors, InterpolationMode.Nearest);
        var found = new byte[nearest.numel()];
        Int8Upsample.Nearest(picture.Codes, picture.Batch, vertical, horizontal, picture.Channels, found, threads: 1 + random.Next(2));
        AssertSame(nearest, found, $"nearest {picture} {vertical} {horizontal}");
        var bilinear = nn.functional.interpolate(picture.Tensor(), size, factors, InterpolationMode.Bilinear, corners);
        Int8Upsample.Bilinear(picture.Codes, picture.Batch, vertical with { AlignCorners = corners }, horizontal with { AlignCorners = corners }, picture.Channels, picture.QParams.ZeroPoint, found, threads: 1 + random.Next(2));
        AssertSame(bilinear, found, $"bilinear {picture} {vertical} {horizontal} corners {corners}");
    }

    [Property(EndSize = 1_000_000, MaxTest = 100)]
    public void The_upsample_module_gives_what_libtorch_gives_in_both_orders_of_memory(int seed)
    {
        var random = new Random(seed);
        var picture = Picture.Of(random);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var bilinear = random.Next(2) == 0;
        bool? corners = bilinear ? random.Next(2) == 0 : null;
        bool? recompute = random.Next(2) == 0;
        var size = random.Next(2) == 0;
        using var module = size
            ? nn.Upsample([random.Next(1, 20), random.Next(1, 20)], null, bilinear ? UpsampleMode.Bilinear : UpsampleMode.Nearest, corners)
            : nn.Upsample(null, [1 + random.Next(5) / 4.0, 1 + random.Next(7) / 3.0], bilinear ? UpsampleMode.Bilinear : UpsampleMode.Nearest, corners, recompute);
        using var int8 = QuantizedUpsample.from_float(module, new StaticConversion("up", quantization.get_default_qconfig(), null));
        var last = picture.Tensor();
        foreach (var x in new[] { last, last.contiguous() })
        {
            var (expected, found) = (module.call(x), int8.call(x));
            Assert.Equal(expected.shape, found.shape);
            Assert.Equal(picture.QParams, new QParams((float)found.q_scale(), (int)found.q_zero_point()));
            Assert.Equal(ElementwiseOracle.Codes(expected), ElementwiseOracle.Codes(found));
        }
    }

    private static PoolingDimension Dimension(Random random, bool dilated)
    {
        var kernel = random.Next(1, 5);
        return new(kernel, random.Next(1, 4), random.Next(kernel / 2 + 1), dilated && random.Next(3) == 0 ? 2 : 1, random.Next(2) == 0);
    }

    private static void AssertSame(Tensor expected, byte[] found, string what)
    {
        using var last = expected.permute(0, 2, 3, 1);
        byte[] codes = ElementwiseOracle.Codes(last);
        var same = codes.AsSpan().CommonPrefixLength(found);
        Assert.True(same == found.Length, same == found.Length ? "" : $"{what}: code {same} is {found[same]}, libtorch has {codes[same]}");
    }

    private sealed record Picture(int Batch, int Height, int Width, int Channels, QParams QParams, byte[] Codes)
    {
        public static Picture Of(Random random)
        {
            int[] channels = [1, 3, 4, 7, 8, 16, 17, 24, 32, 33, 48, 63, 64, 65, 96, 130];
            var (batch, height, width, c) = (random.Next(1, 3), random.Next(1, 12), random.Next(1, 12), channels[random.Next(channels.Length)]);
            // A single channel or pixel lies in both orders at once, and libtorch takes its other kernels.
            (height, c) = (Math.Max(height, 2), Math.Max(c, 2));
            var seed = random.Next();
            return new(batch, height, width, c, RandomCodes.QParams(seed), RandomCodes.Codes(batch * height * width * c, seed));
        }

        public Tensor Tensor()
        {
            using var like = new QuantizedOutput(QParams);
            var codes = like.EmptyChannelsLast([Batch, Height, Width, Channels], out var result);
            Codes.CopyTo(codes.Span<byte>());
            return result;
        }

        public override string ToString() => $"[{Batch}, {Height}, {Width}, {Channels}] {QParams}";
    }
}
