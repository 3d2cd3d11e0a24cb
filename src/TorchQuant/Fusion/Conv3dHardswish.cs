using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional convolution and a Hardswish, as <see cref="ConvReLU3d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv3d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The Hardswish after it.</param>
public sealed class Conv3dHardswish(Conv3d first, Hardswish activation) : FusedModule<Conv3d, Hardswish>(nameof(Conv3dHardswish), first, activation);
