using TorchQuant.Fusion;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A Linear and its batch norm, both training, on inputs [batch, features]; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Linear.</param>
/// <param name="norm">The BatchNorm1d after it.</param>
public sealed class LinearBn1d(Linear first, BatchNorm1d norm) : FusedNormModule<Linear, BatchNorm1d>(nameof(LinearBn1d), first, norm, null)
{
    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor> Folded() => BatchNormFolding.Fold(First, Norm);
}
