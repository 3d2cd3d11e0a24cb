using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution, its batch norm and a ReLU, training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv3d.</param>
/// <param name="norm">The BatchNorm3d after it.</param>
/// <param name="activation">The ReLU after that.</param>
public sealed class ConvBnReLU3d(Conv3d first, BatchNorm3d norm, ReLU activation) : FusedNormModule<Conv3d, BatchNorm3d>(nameof(ConvBnReLU3d), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new ConvReLU3d(BatchNormFolding.Fold(First, Norm), nn.ReLU());
}
