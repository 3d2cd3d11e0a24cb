using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// Activation codes less 128, as the products of two signed bytes that Arm has want them: to flip the top bit is to subtract 128. What that takes from the sums,
/// <see cref="Offset"/> times the sum of the weights, is in the zero point of the activations that the epilogues see (<see cref="IMicroKernel.ActivationOffset"/>).
/// </summary>
internal static unsafe class SignedCodes
{
    /// <summary>What is subtracted.</summary>
    public const int Offset = 128;

    /// <summary>Bytes of four groups.</summary>
    public const int VectorBytes = 16;

    /// <summary>Four groups of four.</summary>
    public static Vector128<sbyte> Load(byte* groups) => (Vector128.Load(groups) ^ Vector128.Create((byte)Offset)).AsSByte();

    /// <summary>One group of four, four times. Nothing is read beyond it.</summary>
    public static Vector128<sbyte> Broadcast(byte* group) => (Vector128.Create(*(uint*)group).AsByte() ^ Vector128.Create((byte)Offset)).AsSByte();
}
