using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution and its batch norm, both training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv3d.</param>
/// <param name="norm">The BatchNorm3d after it.</param>
public sealed class ConvBn3d(Conv3d first, BatchNorm3d norm) : FusedNormModule<Conv3d, BatchNorm3d>(nameof(ConvBn3d), first, norm, null)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => BatchNormFolding.Fold(First, Norm);
}
