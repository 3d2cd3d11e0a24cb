using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A Linear and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Linear, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class LinearReLU(Linear first, ReLU activation) : FusedModule<Linear, ReLU>(nameof(LinearReLU), first, activation);
