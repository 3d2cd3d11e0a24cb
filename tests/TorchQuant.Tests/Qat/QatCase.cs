using FsCheck;
using FsCheck.Fluent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Qat;

/// <summary>What computes in a net of one layer.</summary>
public enum Layer { Linear, Conv, ConvTranspose }

/// <summary>What comes after.</summary>
public enum Activation { Nothing, ReLU, ReLU6, Hardswish }

/// <summary>A stub, a layer with perhaps a batch norm and an activation, a stub; the numbers follow from the seed alone.</summary>
public sealed record QatCase(
    int Seed, Layer Kind, int Dims, bool Norm, Activation After, bool Bias, int Groups, int InPerGroup, int OutPerGroup, int Kernel, int Stride, int Padding, int Dilation, PaddingModes Mode, int QConfig)
{
    private static readonly Func<QConfig>[] QConfigs =
    [
        () => quantization.get_default_qat_qconfig("native"), () => quantization.get_default_qat_qconfig("qnnpack"), () => quantization.get_default_qat_qconfig("onednn", 0),
        () => new QConfig(
            FakeQuantize.with_args(MovingAverageMinMaxObserver.with_args(averaging_constant: 0.2f, quant_min: 0, quant_max: 255)),
            FakeQuantize.with_args(PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_affine))),
    ];

    private int Inputs => Groups * InPerGroup;

    private int Outputs => Groups * OutPerGroup;

    public Tensor Batch(Generator random) => randn([16, Inputs, .. Enumerable.Repeat(7L, Kind == Layer.Linear ? 0 : Dims)], generator: random);

    /// <summary>The float model, in training mode, fused.</summary>
    public Sequential Model()
    {
        List<(string, MTT)> parts = [("quant", new QuantStub()), ("layer", Weighted())];
        if (Norm)
            parts.Add(("norm", Kind == Layer.Linear || Dims == 1 ? nn.BatchNorm1d(Outputs) : Dims == 2 ? nn.BatchNorm2d(Outputs) : nn.BatchNorm3d(Outputs)));
        if (After != Activation.Nothing)
            parts.Add(("activation", After switch { Activation.ReLU => nn.ReLU(), Activation.ReLU6 => nn.ReLU6(), _ => nn.Hardswish() }));
        string[] names = [.. parts.Skip(1).Select(p => p.Item1)];
        parts.Add(("dequant", new DeQuantStub()));
        var model = nn.Sequential(parts);
        using var random = new Generator((ulong)Seed);
        using (no_grad())
            foreach (var parameter in model.parameters())
            {
                using var values = randn(parameter.shape, generator: random);
                parameter.copy_(values);
            }
        return names.Length == 1 ? model : quantization.fuse_modules_qat(model, names, inplace: true);
    }

    /// <summary>Prepared and trained for some steps, in eval mode, its scales kept.</summary>
    public Sequential Trained(Generator random)
    {
        using var scope = NewDisposeScope();
        var model = Model();
        model.qconfig = QConfigs[QConfig]();
        quantization.prepare_qat(model, inplace: true);
        using var optimizer = optim.SGD(model.parameters(), 0.01);
        for (var step = 0; step < 4; step++)
        {
            optimizer.zero_grad();
            model.call(Batch(random)).pow(2).mean().backward();
            optimizer.step();
        }

        model.eval();
        model.call(Batch(random)); // the scales follow the last step
        model.apply(quantization.disable_observer);
        return model;
    }

    private MTT Weighted()
    {
        long size = Kernel, step = Stride, pad = Padding, wide = Dilation;
        return (Kind, Dims) switch
        {
            (Layer.Linear, _) => nn.Linear(Inputs, Outputs, Bias),
            (Layer.Conv, 1) => nn.Conv1d(Inputs, Outputs, size, step, pad, wide, Mode, Groups, Bias),
            (Layer.Conv, 2) => nn.Conv2d(Inputs, Outputs, (size, 1), (step, 1L), (pad, 0L), (wide, 1L), Mode, Groups, Bias),
            (Layer.Conv, _) => nn.Conv3d(Inputs, Outputs, size, step, pad, wide, Mode, Groups, Bias),
            (_, 1) => nn.ConvTranspose1d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias),
            (_, 2) => nn.ConvTranspose2d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias),
            _ => nn.ConvTranspose3d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias),
        };
    }
}

/// <summary>Small cases of every layer and option.</summary>
public static class QatCases
{
    public static Arbitrary<QatCase> All() => Any().ToArbitrary();

    public static Gen<QatCase> Any() =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from kind in Gen.Frequency((4, Gen.Constant(Layer.Conv)), (2, Gen.Constant(Layer.ConvTranspose)), (2, Gen.Constant(Layer.Linear)))
        from dims in Gen.Choose(1, 3)
        from norm in Gen.Elements(true, false)
        from after in Gen.Elements(Activation.Nothing, Activation.ReLU, Activation.ReLU6, Activation.Hardswish)
        from bias in Gen.Elements(true, false)
        from groups in Gen.Choose(1, 3)
        from inputs in Gen.Choose(1, 3)
        from outputs in Gen.Choose(1, 3)
        from kernel in Gen.Choose(1, 3)
        from stride in Gen.Choose(1, 2)
        from padding in Gen.Choose(0, 1)
        from dilation in Gen.Choose(1, 2)
        from mode in Gen.Elements(PaddingModes.Zeros, PaddingModes.Reflect)
        from qconfig in Gen.Choose(0, 3)
        select Possible(new QatCase(seed, kind, dims, norm, after, bias, groups, inputs, outputs, kernel, stride, padding, dilation, mode, qconfig));

    /// <summary>The nearest case that can be fused for training.</summary>
    private static QatCase Possible(QatCase c) => c.Kind switch
    {
        Layer.ConvTranspose => c with { Norm = false, After = Activation.Nothing, Mode = PaddingModes.Zeros },
        Layer.Linear when c.Norm => c with { After = Activation.Nothing },
        Layer.Linear when c.After == Activation.Hardswish => c with { After = Activation.ReLU6 },
        _ when c.Norm && c.After == Activation.Hardswish => c with { After = Activation.ReLU },
        _ => c,
    };
}
