using TorchQuant.Kernels;
using TorchQuant.Modules;
using TorchQuant.Tests.Elementwise;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Tests.Modules.Elementwise;

/// <summary>Every float module that these tests convert: how to make one with random numbers, and a shape that it takes.</summary>
internal sealed record ElementwiseCase(string Name, Func<nn.Module<Tensor, Tensor>> Make, Func<Random, long[]> Shape)
{
    /// <summary>The functions of one number: they take any shape.</summary>
    public static IReadOnlyList<ElementwiseCase> Functions { get; } =
    [
        new("Hardswish", () => nn.Hardswish(), Any), new("Hardsigmoid", () => nn.Hardsigmoid(), Any), new("Sigmoid", () => nn.Sigmoid(), Any), new("Tanh", () => nn.Tanh(), Any),
        new("SiLU", () => nn.SiLU(), Any), new("GELU", () => nn.GELU(), Any), new("GELU tanh", () => nn.GELU(GELU.Approximate.tanh), Any),
        new("ELU", () => nn.ELU(), Any), new("ELU 0.3", () => nn.ELU(0.3), Any), new("LeakyReLU", () => nn.LeakyReLU(), Any), new("LeakyReLU 0.3", () => nn.LeakyReLU(0.3), Any),
        new("Hardswish inplace", () => nn.Hardswish(inplace: true), Any),
    ];

    /// <summary>What is computed in float between the codes.</summary>
    public static IReadOnlyList<ElementwiseCase> FloatRoutes { get; } =
    [
        new("PReLU", () => Random(nn.PReLU(1)), Any), new("PReLU 6", () => Random(nn.PReLU(6)), r => [r.Next(1, 3), 6, r.Next(1, 5), 3]),
        new("Softmax 1", () => nn.Softmax(1), r => [r.Next(1, 4), r.Next(1, 20), r.Next(1, 4), 2]), new("Softmax -1", () => nn.Softmax(-1), r => [r.Next(1, 4), r.Next(1, 20)]),
        new("LayerNorm", () => Random(nn.LayerNorm(12)), r => [r.Next(1, 4), r.Next(1, 9), 12]), new("LayerNorm plain", () => nn.LayerNorm([3, 4], elementwise_affine: false), r => [r.Next(1, 9), 3, 4]),
        new("LayerNorm without bias", () => Random(nn.LayerNorm([12], 1e-3, true, bias: false)), r => [r.Next(1, 9), 12]), new("LayerNorm of pictures", () => Random(nn.LayerNorm([6, 3, 5])), r => [r.Next(1, 4), 6, 3, 5]),
        new("GroupNorm", () => Random(nn.GroupNorm(3, 6)), r => [r.Next(1, 4), 6, r.Next(1, 5), 4]), new("GroupNorm plain", () => nn.GroupNorm(2, 6, affine: false), r => [r.Next(1, 4), 6, r.Next(2, 9)]),
        new("InstanceNorm1d", () => nn.InstanceNorm1d(6), r => [r.Next(1, 4), 6, r.Next(2, 9)]), new("InstanceNorm2d", () => Random(nn.InstanceNorm2d(6, affine: true)), r => [r.Next(1, 4), 6, r.Next(2, 5), 3]),
        new("InstanceNorm2d unbatched", () => Random(nn.InstanceNorm2d(6, affine: true)), r => [6, r.Next(2, 5), 3]),
        new("InstanceNorm2d tracked", () => Random(nn.InstanceNorm2d(6, track_running_stats: true)), r => [r.Next(1, 4), 6, r.Next(2, 5), 3]), new("InstanceNorm3d", () => nn.InstanceNorm3d(6), r => [r.Next(1, 3), 6, 2, 3, r.Next(1, 4)]),
    ];

    /// <summary>Batch norms, which have a kernel: equal to the float route but next to ties.</summary>
    public static IReadOnlyList<ElementwiseCase> BatchNorms { get; } =
    [
        new("BatchNorm1d", () => Random(nn.BatchNorm1d(6)), r => [r.Next(1, 9), 6]), new("BatchNorm1d length", () => Random(nn.BatchNorm1d(6)), r => [r.Next(1, 4), 6, r.Next(1, 9)]),
        new("BatchNorm2d", () => Random(nn.BatchNorm2d(6)), r => [r.Next(1, 4), 6, r.Next(1, 6), 3]), new("BatchNorm2d plain", () => Random(nn.BatchNorm2d(40, affine: false)), r => [r.Next(1, 4), 40, r.Next(1, 6), 3]),
        new("BatchNorm3d", () => Random(nn.BatchNorm3d(6)), r => [r.Next(1, 3), 6, 2, r.Next(1, 4), 3]),
        new("BNReLU2d", () => new BNReLU2d(Random(nn.BatchNorm2d(17)), nn.ReLU()), r => [r.Next(1, 4), 17, r.Next(1, 6), 3]), new("BNReLU3d", () => new BNReLU3d(Random(nn.BatchNorm3d(6)), nn.ReLU()), r => [r.Next(1, 3), 6, 2, r.Next(1, 4), 3]),
    ];

    /// <summary>Modules whose output has the qparams of the input.</summary>
    public static IReadOnlyList<ElementwiseCase> KeepQParams { get; } =
    [
        new("ReLU6", () => nn.ReLU6(), Any), new("ReLU6 inplace", () => nn.ReLU6(inplace: true), Any),
        new("Upsample nearest 1d", () => nn.Upsample(scale_factor: [2.5]), r => [r.Next(1, 3), 6, r.Next(1, 9)]),
        new("Upsample nearest 2d", () => nn.Upsample([7, 5]), r => [r.Next(1, 3), 6, r.Next(1, 5), 3]), new("Upsample nearest 3d", () => nn.Upsample(scale_factor: [2, 1, 2]), r => [r.Next(1, 3), 6, 2, r.Next(1, 4), 3]),
        new("Upsample linear", () => nn.Upsample([7], mode: UpsampleMode.Linear, align_corners: true), r => [r.Next(1, 3), 6, r.Next(2, 9)]),
        new("Upsample trilinear", () => nn.Upsample(scale_factor: [2, 2, 2], mode: UpsampleMode.Trilinear, align_corners: false), r => [1, 6, 2, r.Next(1, 4), 3]),
        new("AdaptiveMaxPool1d", () => nn.AdaptiveMaxPool1d(3), r => [r.Next(1, 3), 6, r.Next(3, 9)]), new("AdaptiveMaxPool2d", () => nn.AdaptiveMaxPool2d([3, 2]), r => [r.Next(1, 3), 6, r.Next(3, 9), 5]),
        new("AdaptiveMaxPool2d unbatched", () => nn.AdaptiveMaxPool2d([3, 2]), r => [6, r.Next(3, 9), 5]),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ElementwiseCase> All { get; } = [.. Functions, .. FloatRoutes, .. BatchNorms, .. KeepQParams];

    public static ElementwiseCase Of(string name) => All.First(c => c.Name == name);

    public override string ToString() => Name;

    /// <summary>The float module in eval mode.</summary>
    public nn.Module<Tensor, Tensor> Float()
    {
        var module = Make();
        module.eval();
        return module;
    }

    /// <summary>The int8 module of the mapping, with the output qparams that an observer gives.</summary>
    public static nn.Module<Tensor, Tensor> Convert(nn.Module module, QParams output, string path = "net.act") =>
        (nn.Module<Tensor, Tensor>)StaticModuleMapping.Default[module.GetType()](
            module, new StaticConversion(path, quantization.get_default_qconfig(), new FixedQParamsObserver(output.Scale, output.ZeroPoint)));

    /// <summary>A quantized tensor of random codes; every second one of 3 to 5 dimensions lies with the channels last.</summary>
    public Tensor Input(int seed, QParams qparams)
    {
        var random = new Random(seed);
        var shape = Shape(random);
        using var like = new QuantizedOutput(qparams);
        var x = like.Empty(shape);
        RandomCodes.Codes((int)x.numel(), seed).CopyTo(x.Span<byte>());
        return shape.Length is >= 3 and <= 5 && random.Next(2) == 0 ? ChannelsLast.ToSecond(ChannelsLast.Of(x)) : x;
    }

    private static long[] Any(Random random) => [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => (long)random.Next(1, 7))];

    /// <summary>Parameters and statistics away from their first values.</summary>
    private static T Random<T>(T module) where T : nn.Module
    {
        using var noGrad = no_grad();
        using var random = new Generator(7);
        foreach (var (name, value) in module.state_dict())
        {
            if (name.EndsWith("running_var", StringComparison.Ordinal))
                value.copy_(rand(value.shape, generator: random) * 3 + 0.1);
            else if (!name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                value.copy_(randn(value.shape, generator: random));
        }
        return module;
    }
}
