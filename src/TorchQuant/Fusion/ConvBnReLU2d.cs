using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution, its batch norm and a ReLU, training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv2d.</param>
/// <param name="norm">The BatchNorm2d after it.</param>
/// <param name="activation">The ReLU after that.</param>
public sealed class ConvBnReLU2d(Conv2d first, BatchNorm2d norm, ReLU activation) : FusedNormModule<Conv2d, BatchNorm2d>(nameof(ConvBnReLU2d), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new ConvReLU2d(BatchNormFolding.Fold(First, Norm), nn.ReLU());
}
