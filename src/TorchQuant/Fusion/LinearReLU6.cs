using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A Linear and a ReLU6, as <see cref="LinearReLU"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Linear, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU6 after it.</param>
public sealed class LinearReLU6(Linear first, ReLU6 activation) : FusedModule<Linear, ReLU6>(nameof(LinearReLU6), first, activation);
