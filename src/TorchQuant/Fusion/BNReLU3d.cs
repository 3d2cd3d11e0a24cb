using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 3-dimensional batch norm and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The BatchNorm3d.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class BNReLU3d(BatchNorm3d first, ReLU activation) : FusedModule<BatchNorm3d, ReLU>(nameof(BNReLU3d), first, activation);
