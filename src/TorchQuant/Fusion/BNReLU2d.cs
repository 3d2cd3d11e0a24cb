using TorchSharp.Modules;

namespace TorchQuant.Modules;

/// <summary>A 2-dimensional batch norm and a ReLU; PyTorch's intrinsic container of that name.</summary>
/// <param name="first">The BatchNorm2d.</param>
/// <param name="activation">The ReLU after it.</param>
public sealed class BNReLU2d(BatchNorm2d first, ReLU activation) : FusedModule<BatchNorm2d, ReLU>(nameof(BNReLU2d), first, activation);
