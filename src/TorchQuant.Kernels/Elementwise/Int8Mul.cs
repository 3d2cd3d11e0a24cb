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
            CodePairs<Product>.Run(isa, new Product(aParams, bParams, outParams, relu), a, b, output, threads);
    }

    private readonly struct Product(QParams a, QParams b, QParams output, bool relu) : ICodePairOperation
    {
        private readonly float _multiplier = a.Scale * b.Scale * (1f / output.Scale);
        private readonly int _aZeroPoint = a.ZeroPoint, _bZeroPoint = b.ZeroPoint, _zeroPoint = output.ZeroPoint;
        private readonly int _lowest = CodeRange.LowestFromZero(output, relu), _highest = output.Highest - output.ZeroPoint;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TInt Codes<TLanes, TFloat, TInt>(TInt a, TInt b) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TInt product = TLanes.MultiplyInt(TLanes.SubtractInt(a, TLanes.BroadcastInt(_aZeroPoint)), TLanes.SubtractInt(b, TLanes.BroadcastInt(_bZeroPoint)));
            TFloat scaled = TLanes.Multiply(TLanes.ToFloat(product), TLanes.Broadcast(_multiplier));
            return Elementwise<TLanes, TFloat, TInt>.ToCodes(scaled, TLanes.Broadcast(_lowest), TLanes.Broadcast(_highest), TLanes.BroadcastInt(_zeroPoint));
        }
    }
}
