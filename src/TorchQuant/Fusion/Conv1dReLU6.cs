using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution and a ReLU6, as <see cref="ConvReLU1d"/>; PyTorch does not fuse this pair.</summary>
/// <param name="first">The Conv1d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU6 after it.</param>
public sealed class Conv1dReLU6(Conv1d first, ReLU6 activation) : FusedModule<Conv1d, ReLU6>(nameof(Conv1dReLU6), first, activation);
