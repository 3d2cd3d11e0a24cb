using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A <see cref="FusedModule{TFirst, TActivation}"/> of any types.</summary>
internal interface IFusedModule
{
    /// <summary>The module with the weights.</summary>
    nn.Module<Tensor, Tensor> First { get; }

    /// <summary>The activation after it.</summary>
    nn.Module<Tensor, Tensor> Activation { get; }
}
