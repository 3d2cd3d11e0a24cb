using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution and a ReLU6, as <see cref="ConvReLU2d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv2d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU6 after it.</param>
public sealed class Conv2dReLU6(Conv2d first, ReLU6 activation) : FusedModule<Conv2d, ReLU6>(nameof(Conv2dReLU6), first, activation);
