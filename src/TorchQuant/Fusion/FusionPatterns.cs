using TorchQuant.Modules;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>The one table of sequences that can be fused: PyTorch's, and those for which the int8 kernels have an epilogue too (ReLU6, Hardswish). Longer ones come first.</summary>
internal static class FusionPatterns
{
    public static IReadOnlyList<FusionPattern> All { get; } =
    [
        .. Convolutions<Conv1d, BatchNorm1d, ReLU, ConvReLU1d>((c, a) => new(c, a)),
        .. Convolutions<Conv2d, BatchNorm2d, ReLU, ConvReLU2d>((c, a) => new(c, a)),
        .. Convolutions<Conv3d, BatchNorm3d, ReLU, ConvReLU3d>((c, a) => new(c, a)),
        .. Convolutions<Conv1d, BatchNorm1d, ReLU6, Conv1dReLU6>((c, a) => new(c, a)),
        .. Convolutions<Conv2d, BatchNorm2d, ReLU6, Conv2dReLU6>((c, a) => new(c, a)),
        .. Convolutions<Conv3d, BatchNorm3d, ReLU6, Conv3dReLU6>((c, a) => new(c, a)),
        .. Convolutions<Conv1d, BatchNorm1d, Hardswish, Conv1dHardswish>((c, a) => new(c, a)),
        .. Convolutions<Conv2d, BatchNorm2d, Hardswish, Conv2dHardswish>((c, a) => new(c, a)),
        .. Convolutions<Conv3d, BatchNorm3d, Hardswish, Conv3dHardswish>((c, a) => new(c, a)),
        Folding<Conv1d, BatchNorm1d>(BatchNormFolding.Fold),
        Folding<Conv2d, BatchNorm2d>(BatchNormFolding.Fold),
        Folding<Conv3d, BatchNorm3d>(BatchNormFolding.Fold),
        Folding<ConvTranspose1d, BatchNorm1d>(BatchNormFolding.Fold),
        Folding<ConvTranspose2d, BatchNorm2d>(BatchNormFolding.Fold),
        Folding<ConvTranspose3d, BatchNorm3d>(BatchNormFolding.Fold),
        Folding<Linear, BatchNorm1d>(BatchNormFolding.Fold),
        Pair<Linear, ReLU, LinearReLU>((l, a) => new(l, a)),
        Pair<Linear, ReLU6, LinearReLU6>((l, a) => new(l, a)),
        Pair<BatchNorm2d, ReLU, BNReLU2d>((n, a) => new(n, a)),
        Pair<BatchNorm3d, ReLU, BNReLU3d>((n, a) => new(n, a)),
    ];

    /// <summary>The sequences that can be fused for training: with a batch norm that goes on training, and those without one.</summary>
    public static IReadOnlyList<FusionPattern> Training { get; } =
    [
        Normed<Conv1d, BatchNorm1d, ReLU, ConvBnReLU1d>((c, n, a) => new(c, n, a)),
        Normed<Conv2d, BatchNorm2d, ReLU, ConvBnReLU2d>((c, n, a) => new(c, n, a)),
        Normed<Conv3d, BatchNorm3d, ReLU, ConvBnReLU3d>((c, n, a) => new(c, n, a)),
        Normed<Conv1d, BatchNorm1d, ReLU6, Conv1dBnReLU6>((c, n, a) => new(c, n, a)),
        Normed<Conv2d, BatchNorm2d, ReLU6, Conv2dBnReLU6>((c, n, a) => new(c, n, a)),
        Normed<Conv3d, BatchNorm3d, ReLU6, Conv3dBnReLU6>((c, n, a) => new(c, n, a)),
        Normed<Conv1d, BatchNorm1d, ConvBn1d>((c, n) => new(c, n)),
        Normed<Conv2d, BatchNorm2d, ConvBn2d>((c, n) => new(c, n)),
        Normed<Conv3d, BatchNorm3d, ConvBn3d>((c, n) => new(c, n)),
        Normed<Linear, BatchNorm1d, LinearBn1d>((l, n) => new(l, n)),
        .. All.Where(p => !p.Folds),
    ];

    /// <summary>The types that rows are made of.</summary>
    public static IReadOnlySet<Type> Types { get; } = All.SelectMany(p => p.Types).ToHashSet();

    /// <summary>The row for modules of exactly these types, or null.</summary>
    public static FusionPattern? For(IEnumerable<Type> types, IReadOnlyList<FusionPattern> table) => table.FirstOrDefault(p => p.Types.SequenceEqual(types));

    private static FusionPattern Normed<TFirst, TNorm, TFused>(Func<TFirst, TNorm, TFused> fuse)
        where TFirst : nn.Module where TNorm : BatchNorm where TFused : nn.Module
        => new([typeof(TFirst), typeof(TNorm)], typeof(TFused), false, true, m => fuse((TFirst)m[0], (TNorm)m[1]));

    private static FusionPattern Normed<TFirst, TNorm, TActivation, TFused>(Func<TFirst, TNorm, TActivation, TFused> fuse)
        where TFirst : nn.Module where TNorm : BatchNorm where TActivation : nn.Module where TFused : nn.Module
        => new([typeof(TFirst), typeof(TNorm), typeof(TActivation)], typeof(TFused), false, true, m => fuse((TFirst)m[0], (TNorm)m[1], (TActivation)m[2]));

    private static FusionPattern[] Convolutions<TConv, TNorm, TActivation, TFused>(Func<TConv, TActivation, TFused> fuse)
        where TConv : Convolution where TNorm : BatchNorm where TActivation : nn.Module where TFused : nn.Module =>
    [
        new([typeof(TConv), typeof(TNorm), typeof(TActivation)], typeof(TFused), true, false,
            m => fuse(BatchNormFolding.Fold((TConv)m[0], (TNorm)m[1]), (TActivation)m[2])),
        Pair(fuse),
    ];

    private static FusionPattern Folding<TFirst, TNorm>(Func<TFirst, TNorm, TFirst> fold) where TFirst : nn.Module where TNorm : BatchNorm
        => new([typeof(TFirst), typeof(TNorm)], typeof(TFirst), true, false, m => fold((TFirst)m[0], (TNorm)m[1]));

    private static FusionPattern Pair<TFirst, TActivation, TFused>(Func<TFirst, TActivation, TFused> fuse)
        where TFirst : nn.Module where TActivation : nn.Module where TFused : nn.Module
        => new([typeof(TFirst), typeof(TActivation)], typeof(TFused), false, false, m => fuse((TFirst)m[0], (TActivation)m[1]));
}
