using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution, its batch norm and a ReLU, training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv1d.</param>
/// <param name="norm">The BatchNorm1d after it.</param>
/// <param name="activation">The ReLU after that.</param>
public sealed class ConvBnReLU1d(Conv1d first, BatchNorm1d norm, ReLU activation) : FusedNormModule<Conv1d, BatchNorm1d>(nameof(ConvBnReLU1d), first, norm, activation)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => new ConvReLU1d(BatchNormFolding.Fold(First, Norm), nn.ReLU());
}
