using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution, its batch norm and a ReLU6, as <see cref="ConvBnReLU2d"/>; PyTorch does not fuse these three.</summary>
/// <param name="first">The Conv2d.</param>
/// <param name="norm">The BatchNorm2d after it.</param>
/// <param name="activation">The ReLU6 after that.</param>
public sealed class Conv2dBnReLU6(Conv2d first, BatchNorm2d norm, ReLU6 activation) : FusedNormModule<Conv2d, BatchNorm2d>(nameof(Conv2dBnReLU6), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new Conv2dReLU6(BatchNormFolding.Fold(First, Norm), nn.ReLU6());
}
