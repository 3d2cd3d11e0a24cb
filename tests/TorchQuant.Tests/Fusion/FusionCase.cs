using FsCheck;
using FsCheck.Fluent;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using MTT = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace TorchQuant.Tests.Fusion;

/// <summary>What computes before the batch norm.</summary>
public enum Before { Conv, ConvTranspose, Linear }

/// <summary>What comes after.</summary>
public enum After { Nothing, ReLU, ReLU6, Hardswish }

/// <summary>A chain of a module with weights, perhaps a batch norm, perhaps an activation, in float64; the numbers follow from the seed alone.</summary>
public sealed record FusionCase(
    int Seed, Before Kind, int Dims, int Groups, int InPerGroup, int OutPerGroup, bool Bias, bool Norm, bool Affine, double Eps, int Kernel, int Stride, int Dilation, int Padding,
    PaddingModes Mode, After Activation)
{
    private const ScalarType F64 = ScalarType.Float64;

    private int Inputs => Groups * InPerGroup;

    private int Outputs => Groups * OutPerGroup;

    public string[] Names => [.. new[] { "first", Norm ? "norm" : "", Activation == After.Nothing ? "" : "activation" }.Where(n => n.Length > 0)];

    public Sequential Model()
    {
        List<(string, MTT)> parts = [("first", First())];
        if (Norm) parts.Add(("norm", BatchNorm()));
        if (Activation != After.Nothing) parts.Add(("activation", Activation switch { After.ReLU => nn.ReLU(), After.ReLU6 => nn.ReLU6(), _ => nn.Hardswish() }));
        var model = nn.Sequential(parts);
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var which = 1;
        foreach (var (_, parameter) in model.named_parameters()) parameter.copy_(Values(which++, -2, 2, parameter.shape));
        foreach (var (name, buffer) in model.named_buffers())
            if (name.EndsWith("running_mean", StringComparison.Ordinal)) buffer.copy_(Values(which++, -2, 2, buffer.shape));
            else if (name.EndsWith("running_var", StringComparison.Ordinal)) buffer.copy_(Values(which++, 0.01, 4, buffer.shape));
        model.eval();
        return model;
    }

    public Tensor Input() => Values(0, -3, 3, [2, Inputs, .. Enumerable.Repeat(7L, Kind == Before.Linear ? 0 : Dims)]);

    private MTT First()
    {
        long size = Kernel, step = Stride, pad = Padding, wide = Dilation;
        return (Kind, Dims) switch
        {
            (Before.Linear, _) => nn.Linear(Inputs, Outputs, Bias, dtype: F64),
            (Before.Conv, 1) => nn.Conv1d(Inputs, Outputs, size, step, pad, wide, Mode, Groups, Bias, dtype: F64),
            (Before.Conv, 2) => nn.Conv2d(Inputs, Outputs, (size, 1), (step, 1L), (pad, 0L), (wide, 1L), Mode, Groups, Bias, dtype: F64),
            (Before.Conv, _) => nn.Conv3d(Inputs, Outputs, size, step, pad, wide, Mode, Groups, Bias, dtype: F64),
            (_, 1) => nn.ConvTranspose1d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias, dtype: F64),
            (_, 2) => nn.ConvTranspose2d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias, dtype: F64),
            _ => nn.ConvTranspose3d(Inputs, Outputs, size, step, pad, 0, wide, PaddingModes.Zeros, Groups, Bias, dtype: F64),
        };
    }

    private MTT BatchNorm() => Kind == Before.Linear || Dims == 1 ? nn.BatchNorm1d(Outputs, Eps, affine: Affine, dtype: F64)
        : Dims == 2 ? nn.BatchNorm2d(Outputs, Eps, affine: Affine, dtype: F64)
        : nn.BatchNorm3d(Outputs, Eps, affine: Affine, dtype: F64);

    private Tensor Values(int which, double low, double high, long[] shape)
    {
        var random = new Random(unchecked((Seed * 397) ^ (which * 7919)));
        var values = new double[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = low + (random.NextDouble() * (high - low));
        return tensor(values, shape, dtype: F64);
    }
}

/// <summary>Small cases of every sequence and option.</summary>
public static class FusionCases
{
    public static Arbitrary<FusionCase> All() => (
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from kind in Gen.Frequency((4, Gen.Constant(Before.Conv)), (2, Gen.Constant(Before.ConvTranspose)), (1, Gen.Constant(Before.Linear)))
        from dims in Gen.Choose(1, 3)
        from groups in Gen.Choose(1, 3)
        from inputs in Gen.Choose(1, 3)
        from outputs in Gen.Choose(1, 3)
        from bias in Flag()
        from norm in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
        from affine in Flag()
        from eps in Gen.Elements(1e-5, 1e-3, 0.5)
        from kernel in Gen.Choose(1, 3)
        from stride in Gen.Choose(1, 2)
        from dilation in Gen.Choose(1, 2)
        from padding in Gen.Choose(0, 1)
        from mode in Gen.Elements(PaddingModes.Zeros, PaddingModes.Reflect)
        from after in Gen.Elements(After.Nothing, After.ReLU, After.ReLU6, After.Hardswish)
        select Fusable(new FusionCase(seed, kind, dims, groups, inputs, outputs, bias, norm, affine, eps, kernel, stride, dilation, padding, mode, after))).ToArbitrary();

    /// <summary>The nearest case that the table has.</summary>
    private static FusionCase Fusable(FusionCase c) => c.Kind switch
    {
        Before.ConvTranspose => c with { Norm = true, Activation = After.Nothing, Mode = PaddingModes.Zeros },
        Before.Linear when c.Norm => c with { Activation = After.Nothing },
        Before.Linear => c with { Activation = c.Activation == After.ReLU6 ? After.ReLU6 : After.ReLU },
        _ => c with { Norm = c.Norm || c.Activation == After.Nothing },
    };

    private static Gen<bool> Flag() => Gen.Elements(true, false);
}
