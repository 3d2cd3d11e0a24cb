namespace TorchQuant.Kernels.Generated;

/// <summary>The memory operand [base + index * scale + displacement].</summary>
/// <param name="Base">The base register.</param>
/// <param name="Displacement">Bytes to add.</param>
/// <param name="Index">The index register, never Rsp; null for none.</param>
/// <param name="Scale">1, 2, 4 or 8.</param>
internal readonly record struct Memory(Gpr Base, int Displacement = 0, Gpr? Index = null, int Scale = 1);
