using FsCheck;
using FsCheck.Fluent;
using TorchSharp.Modules;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>What a stage of a random net computes, on images that keep their shape.</summary>
public enum Stage
{
    Conv, ConvBn, ConvBnReLU, ConvReLU6, Depthwise, ConvTranspose, Linear, BatchNorm, LayerNorm, GroupNorm, InstanceNorm, ReLU, ReLU6, Hardswish, Hardsigmoid, Sigmoid, Tanh, SiLU, ELU, LeakyReLU, GELU, PReLU, Softmax,
    MaxPool, AvgPool, AdaptiveAvgPool, AdaptiveMaxPool, UpsampleNearest, UpsampleBilinear, Dropout, Add, AddReLU, Mul, Cat, AddScalar, MulScalar, FunctionalReLU, FunctionalMaxPool,
}

/// <summary>How the net ends.</summary>
public enum Ending { Image, GlobalAverage, Flatten }

/// <summary>A net of some stages, and how it is quantized; the numbers follow from the seed alone.</summary>
public sealed record RandomQatCase(int Seed, Stage[] Stages, Ending End, string Backend, int Version, bool Frozen)
{
    public override string ToString() => $"{Seed}, {Backend} v{Version}, {(Frozen ? "frozen" : "not frozen")}: {string.Join(" - ", Stages)} - {End}";

    public static Arbitrary<RandomQatCase> All() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from count in Gen.Choose(2, 6)
        from stages in Gen.Elements(Enum.GetValues<Stage>()).ArrayOf(count)
        from end in Gen.Elements(Enum.GetValues<Ending>())
        from backend in Gen.Elements("fbgemm", "x86", "qnnpack", "native")
        from version in Gen.Choose(0, 1)
        from frozen in Gen.Elements(true, false)
        select new RandomQatCase(seed, stages, end, backend, version, frozen)).ToArbitrary();

    public Tensor Batch(Generator random) => randn([6, RandomQatNet.Channels, RandomQatNet.Size, RandomQatNet.Size], generator: random);
}

/// <summary>The net: images [batch, 5, 6, 6] through its stages.</summary>
internal sealed class RandomQatNet : MTT
{
    public const int Channels = 5, Size = 6;

    private readonly RandomQatCase _case;
    private readonly QuantStub quant = new();
    private readonly ModuleList<nn.Module> stages = [];
    private readonly MTT average = nn.AdaptiveAvgPool2d(1);
    private readonly MTT last = nn.Linear(Channels, 3);
    private readonly MTT flatLast = nn.Linear(Channels * Size * Size, 3);
    private readonly DeQuantStub dequant = new();

    public RandomQatNet(RandomQatCase c) : base(nameof(RandomQatNet))
    {
        _case = c;
        foreach (var stage in c.Stages)
            stages.Add(Make(stage));
        if (c.End != Ending.GlobalAverage)
            last = average = nn.Identity();
        if (c.End != Ending.Flatten)
            flatLast = nn.Identity();
        RegisterComponents();
        using var random = new Generator((ulong)c.Seed);
        using (no_grad())
            foreach (var parameter in parameters())
            {
                using var values = randn(parameter.shape, generator: random);
                parameter.copy_(values * 0.5 + (parameter.dim() == 1 ? 0.5 : 0));
            }
    }

    /// <summary>The scale of the int8 output.</summary>
    public double OutputScale { get; private set; }

    /// <summary>The sequences that are fused for training.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Sequences => [.. _case.Stages.Index()
        .Where(s => s.Item is Stage.ConvBn or Stage.ConvBnReLU or Stage.ConvReLU6)
        .Select(s => (IReadOnlyList<string>)[.. Enumerable.Range(0, s.Item == Stage.ConvBnReLU ? 3 : 2).Select(i => $"stages.{s.Index}.{i}")])];

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = quant.call(input);
        for (var i = 0; i < stages.Count; i++)
            x = Run(_case.Stages[i], stages[i], x);
        if (_case.End == Ending.GlobalAverage)
            x = last.call(average.call(x).flatten(1));
        else if (_case.End == Ending.Flatten)
            x = flatLast.call(x.flatten(1));
        if (x.is_quantized())
            OutputScale = x.q_scale();
        return dequant.call(x).MoveToOuterDisposeScope();
    }

    private static Tensor Run(Stage stage, nn.Module module, Tensor x) => stage switch
    {
        Stage.Add => ((FloatFunctional)module).add(x, x.flip(3)),
        Stage.AddReLU => ((FloatFunctional)module).add_relu(x, x.transpose(2, 3)),
        Stage.Mul => ((FloatFunctional)module).mul(x, x.flip(2)),
        Stage.AddScalar => ((FloatFunctional)module).add_scalar(x, 0.37),
        Stage.MulScalar => ((FloatFunctional)module).mul_scalar(x, -1.3),
        Stage.FunctionalReLU => x.relu(),
        Stage.FunctionalMaxPool => nn.functional.max_pool2d(x, 3, 1, 1),
        Stage.Linear => ((MTT)module).call(x.transpose(2, 3)),
        _ => ((MTT)module).call(x),
    };

    private static nn.Module Make(Stage stage) => stage switch
    {
        Stage.Conv => nn.Conv2d(Channels, Channels, 3, padding: 1),
        Stage.ConvBn => nn.Sequential(nn.Conv2d(Channels, Channels, 3, padding: 1, bias: false), nn.BatchNorm2d(Channels)),
        Stage.ConvBnReLU => nn.Sequential(nn.Conv2d(Channels, Channels, 3, padding: 1), nn.BatchNorm2d(Channels), nn.ReLU()),
        Stage.ConvReLU6 => nn.Sequential(nn.Conv2d(Channels, Channels, 1), nn.ReLU6()),
        Stage.Depthwise => nn.Conv2d(Channels, Channels, 3, padding: 1, groups: Channels),
        Stage.ConvTranspose => nn.ConvTranspose2d(Channels, Channels, 3, padding: 1),
        Stage.Linear => nn.Linear(Size, Size),
        Stage.BatchNorm => nn.BatchNorm2d(Channels),
        Stage.LayerNorm => nn.LayerNorm([Channels, Size, Size]),
        Stage.GroupNorm => nn.GroupNorm(1, Channels),
        Stage.InstanceNorm => nn.InstanceNorm2d(Channels),
        Stage.ReLU => nn.ReLU(),
        Stage.ReLU6 => nn.ReLU6(),
        Stage.Hardswish => nn.Hardswish(),
        Stage.Hardsigmoid => nn.Hardsigmoid(),
        Stage.Sigmoid => nn.Sigmoid(),
        Stage.Tanh => nn.Tanh(),
        Stage.SiLU => nn.SiLU(),
        Stage.ELU => nn.ELU(),
        Stage.LeakyReLU => nn.LeakyReLU(0.1),
        Stage.GELU => nn.GELU(),
        Stage.PReLU => nn.PReLU(Channels, 0.2),
        Stage.Softmax => nn.Softmax(1),
        Stage.MaxPool => nn.MaxPool2d(3, 1, 1),
        Stage.AvgPool => nn.AvgPool2d(3, 1, 1),
        Stage.AdaptiveAvgPool => nn.Sequential(nn.AdaptiveAvgPool2d([4, 3]), nn.Upsample([Size, Size])),
        Stage.AdaptiveMaxPool => nn.Sequential(nn.AdaptiveMaxPool2d([3, 4]), nn.Upsample([Size, Size])),
        Stage.UpsampleNearest => nn.Sequential(nn.Upsample(scale_factor: [2, 2]), nn.MaxPool2d(2)),
        Stage.UpsampleBilinear => nn.Sequential(nn.Upsample(scale_factor: [2, 2], mode: UpsampleMode.Bilinear, align_corners: false), nn.AvgPool2d(2)),
        Stage.Dropout => nn.Dropout(0.2),
        Stage.Cat => new Joined(),
        Stage.FunctionalReLU or Stage.FunctionalMaxPool => nn.Identity(),
        _ => new FloatFunctional(),
    };

    /// <summary>Its input beside what a layer makes of it, and a layer for both.</summary>
    private sealed class Joined : MTT
    {
        private readonly MTT one = nn.Conv2d(Channels, 2, 1);
        private readonly FloatFunctional cat = new();
        private readonly MTT both = nn.Conv2d(Channels + 2, Channels, 1);

        public Joined() : base(nameof(Joined)) => RegisterComponents();

        public override Tensor forward(Tensor input) => both.call(cat.cat([input, one.call(input)], 1));
    }
}
