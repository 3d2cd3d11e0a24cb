using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 1-dimensional convolution and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The Conv1d, with a batch norm folded in where there was one.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class ConvReLU1d(Conv1d first, ReLU activation) : FusedModule<Conv1d, ReLU>(nameof(ConvReLU1d), first, activation);
