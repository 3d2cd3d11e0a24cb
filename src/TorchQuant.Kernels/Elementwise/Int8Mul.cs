using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The product of two arrays of codes as codes: code = clamp(round_half_even(float((a - za) * (b - zb)) * (sa * sb * (1 / so))) + zo, lowest, highest), not below zo if ReLU is fused: the
/// integers of libtorch's quantized::mul and mul_relu. Where a scaled product passes 2^31 we saturate; libtorch's vectors give the other end of the range there.
/// </summary>
public static class Int8Mul
{
    /// <summary>output = a * b.</summary>
    /// <param name="a">The codes of the first array.</param>
    /// <param name="aParams">Their scale and zero point; the zero point within 0..255.</param>
    /// <param name="b">The codes of the second: as many as <paramref name="a"/>; or a row that repeats along it (one code for each channel, channels last); or one code.</param>
    /// <param name="bParams">Their scale and zero point.</param>
    /// <param name="output">Receives as many codes as <paramref name="a"/> has; may be its memory.</param>
    /// <param name="outParams">The scale and zero point of the output.</param>
    /// <param name="relu">Whether negative products become 0.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Multiply(ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams, bool relu = false, int threads = 1) =>
        Multiply(Isa.Current, a, aParams, b, bParams, output, outParams, relu, threads);

    internal static void Multiply(Isa isa, ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams, bool relu, int threads)
    {
        CodePairArguments.Check(a, aParams, b, bParams, output, outParams, threads);
        if (!a.IsEmpty)
            CodePairs<Product>.Run(isa, Factors(aParams, bParams, outParams, relu), a, b, output, threads);
    }

    private static CodePairFactors Factors(QParams a, QParams b, QParams output, bool relu) => new(1, a.ZeroPoint, 1, b.ZeroPoint, a.Scale * b.Scale * (1f / output.Scale))
    {
        IsBounded = (double)a.Scale * b.Scale * (byte.MaxValue * byte.MaxValue) / output.Scale < CodePairFactors.Bound && (double)a.Scale * b.Scale < float.MaxValue,
        ZeroPoint = output.ZeroPoint,
        Lowest = CodeRange.LowestFromZero(output, relu) + output.ZeroPoint,
        Highest = output.Highest,
    };

    private readonly struct Product : ICodePairOperation
    {
        /// <summary>The codes have no scale here. Their product is a whole number below 2^24, so exact in float, where multiplying is cheaper than in int32.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TFloat Scaled<TLanes, TFloat, TInt>(TInt a, TInt b, TFloat aScale, TFloat aZero, TFloat bScale, TFloat bZero, TFloat ratio) where TLanes : struct, ILanes<TFloat, TInt> =>
            TLanes.Multiply(TLanes.Multiply(TLanes.Subtract(TLanes.ToFloat(a), aZero), TLanes.Subtract(TLanes.ToFloat(b), bZero)), ratio);
    }
}
