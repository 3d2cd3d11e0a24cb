using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A <see cref="FusedNormModule{TFirst, TNorm}"/> of any types.</summary>
internal interface IFusedNormModule
{
    /// <summary>The module with the weights.</summary>
    nn.Module<Tensor, Tensor> First { get; }

    /// <summary>The batch norm after it.</summary>
    BatchNorm Norm { get; }

    /// <summary>The activation after that, or null.</summary>
    nn.Module<Tensor, Tensor>? Activation { get; }

    /// <summary>A new module without a batch norm, which computes what this one does in eval mode.</summary>
    nn.Module<Tensor, Tensor> Folded();
}
