using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv3d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class ConvReLU3d(Conv3d first, ReLU activation) : FusedModule<Conv3d, ReLU>(nameof(ConvReLU3d), first, activation);
