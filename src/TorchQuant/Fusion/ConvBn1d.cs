using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution and its batch norm, both training; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv1d.</param>
/// <param name="norm">The BatchNorm1d after it.</param>
public sealed class ConvBn1d(Conv1d first, BatchNorm1d norm) : FusedNormModule<Conv1d, BatchNorm1d>(nameof(ConvBn1d), first, norm, null)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => BatchNormFolding.Fold(First, Norm);
}
