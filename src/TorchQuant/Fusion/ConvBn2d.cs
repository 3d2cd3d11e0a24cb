using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution and its batch norm, both training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv2d.</param>
/// <param name="norm">The BatchNorm2d after it.</param>
public sealed class ConvBn2d(Conv2d first, BatchNorm2d norm) : FusedNormModule<Conv2d, BatchNorm2d>(nameof(ConvBn2d), first, norm, null)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => BatchNormFolding.Fold(First, Norm);
}
