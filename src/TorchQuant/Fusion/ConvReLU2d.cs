using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv2d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class ConvReLU2d(Conv2d first, ReLU activation) : FusedModule<Conv2d, ReLU>(nameof(ConvReLU2d), first, activation);
