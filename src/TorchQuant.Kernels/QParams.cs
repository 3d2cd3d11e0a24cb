namespace TorchQuant.Kernels;

/// <summary>Affine quantization parameters: real = Scale * (code - ZeroPoint).</summary>
/// <param name="Scale">The real distance of two neighbouring codes; positive.</param>
/// <param name="ZeroPoint">The code of real zero.</param>
public readonly record struct QParams(float Scale, int ZeroPoint);
