using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Pooling;

/// <summary>The float modules that pool, with random options, and inputs for them.</summary>
internal static class PoolCase
{
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d",
    ];

    public static int Spatial(string kind) => kind[^2] - '0';

    /// <summary>A module whose options are random, and not always ones that have a meaning.</summary>
    public static nn.Module<Tensor, Tensor> Make(string kind, Random random)
    {
        var spatial = Spatial(kind);
        var kernel = Numbers(random, spatial, 1, 4);
        var stride = random.Next(3) == 0 ? null : Numbers(random, spatial, 1, 4);
        var padding = random.Next(2) == 0 ? null : kernel.Select(k => random.NextInt64(k / 2 + (random.Next(10) == 0 ? 2 : 1))).ToArray();
        var dilation = random.Next(3) == 0 ? Numbers(random, spatial, 1, 3) : null;
        bool ceil = random.Next(2) == 0, include = random.Next(2) == 0;
        long? divisor = random.Next(3) == 0 ? random.Next(1, 12) : null;
        return kind switch
        {
            "MaxPool1d" => nn.MaxPool1d(kernel[0], stride?[0], padding?[0], dilation?[0], ceil),
            "MaxPool2d" => nn.MaxPool2d(kernel, stride, padding, dilation, ceil),
            "MaxPool3d" => nn.MaxPool3d(kernel, stride, padding, dilation, ceil),
            "AvgPool1d" => nn.AvgPool1d(kernel[0], stride?[0], padding?[0] ?? 0, ceil, include),
            "AvgPool2d" => nn.AvgPool2d(kernel, stride, padding, ceil, include, divisor),
            "AvgPool3d" => nn.AvgPool3d(kernel, stride, padding, ceil, include, divisor),
            "AdaptiveAvgPool1d" => nn.AdaptiveAvgPool1d(random.Next(1, 6)),
            "AdaptiveAvgPool2d" => nn.AdaptiveAvgPool2d(Numbers(random, 2, 1, 6)),
            _ => nn.AdaptiveAvgPool3d(Numbers(random, 3, 1, 6)),
        };
    }

    public static QuantizedPool Int8(nn.Module module, string path = "net.pool")
    {
        var conversion = new StaticConversion(path, quantization.get_default_qconfig(), null);
        return module switch
        {
            MaxPool1d m => QuantizedMaxPool.from_float(m, conversion),
            MaxPool2d m => QuantizedMaxPool.from_float(m, conversion),
            MaxPool3d m => QuantizedMaxPool.from_float(m, conversion),
            AvgPool1d m => QuantizedAvgPool.from_float(m, conversion),
            AvgPool2d m => QuantizedAvgPool.from_float(m, conversion),
            AvgPool3d m => QuantizedAvgPool.from_float(m, conversion),
            AdaptiveAvgPool1d m => QuantizedAdaptiveAvgPool.from_float(m, conversion),
            AdaptiveAvgPool2d m => QuantizedAdaptiveAvgPool.from_float(m, conversion),
            _ => QuantizedAdaptiveAvgPool.from_float((AdaptiveAvgPool3d)module, conversion),
        };
    }

    /// <summary>Random codes, with the channels second in memory.</summary>
    public static Tensor Input(string kind, Random random, QParams qparams)
    {
        int[] channels = [1, 2, 3, 7, 16, 33, 64, 65];
        long[] shape = [random.Next(1, 3), channels[random.Next(channels.Length)], .. Numbers(random, Spatial(kind), 1, 8)];
        using var like = new QuantizedOutput(qparams);
        var x = like.Empty(shape);
        RandomCodes.Codes((int)x.numel(), random.Next()).CopyTo(x.Span<byte>());
        return x;
    }

    /// <summary>The same in every order of memory, and the first of the batch alone.</summary>
    public static IEnumerable<Tensor> Orders(Tensor x)
    {
        var last = ChannelsLast.ToSecond(ChannelsLast.Of(x));
        return [x, last, x[0], last[0], x.transpose(1, -1).contiguous().transpose(1, -1)];
    }

    private static long[] Numbers(Random random, int count, int from, int to) => [.. Enumerable.Range(0, count).Select(_ => random.NextInt64(from, to))];
}
