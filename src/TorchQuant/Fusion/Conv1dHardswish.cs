using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution and a Hardswish, as <see cref="ConvReLU1d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv1d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The Hardswish after it.</param>
public sealed class Conv1dHardswish(Conv1d first, Hardswish activation) : FusedModule<Conv1d, Hardswish>(nameof(Conv1dHardswish), first, activation);
