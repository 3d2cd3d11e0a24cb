using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional convolution and a Hardswish, as <see cref="ConvReLU2d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv2d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The Hardswish after it.</param>
public sealed class Conv2dHardswish(Conv2d first, Hardswish activation) : FusedModule<Conv2d, Hardswish>(nameof(Conv2dHardswish), first, activation);
