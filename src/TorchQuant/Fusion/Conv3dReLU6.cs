using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution and a ReLU6, as <see cref="ConvReLU3d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv3d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU6 after it.</param>
public sealed class Conv3dReLU6(Conv3d first, ReLU6 activation) : FusedModule<Conv3d, ReLU6>(nameof(Conv3dReLU6), first, activation);
