using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution, its batch norm and a ReLU6, as <see cref="ConvBnReLU3d"/>; PyTorch does not fuse these three.</summary>
/// <param name="first">The Conv3d.</param>
/// <param name="norm">The BatchNorm3d after it.</param>
/// <param name="activation">The ReLU6 after that.</param>
public sealed class Conv3dBnReLU6(Conv3d first, BatchNorm3d norm, ReLU6 activation) : FusedNormModule<Conv3d, BatchNorm3d>(nameof(Conv3dBnReLU6), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new Conv3dReLU6(BatchNormFolding.Fold(First, Norm), nn.ReLU6());
}
