using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution, its batch norm and a ReLU6, as <see cref="ConvBnReLU1d"/>; PyTorch does not fuse these three.</summary>
/// <param name="first">The Conv1d.</param>
/// <param name="norm">The BatchNorm1d after it.</param>
/// <param name="activation">The ReLU6 after that.</param>
public sealed class Conv1dBnReLU6(Conv1d first, BatchNorm1d norm, ReLU6 activation) : FusedNormModule<Conv1d, BatchNorm1d>(nameof(Conv1dBnReLU6), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new Conv1dReLU6(BatchNormFolding.Fold(First, Norm), nn.ReLU6());
}
