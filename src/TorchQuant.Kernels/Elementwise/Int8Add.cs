using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The sum of two arrays of codes as codes: code = clamp(round_half_even((a' + b') * (1 / so)) + zo, lowest, highest) with a' = fma(sa, a, -(sa * za)) and b' alike, not below zo if ReLU is
/// fused. So libtorch's quantized::add and add_relu compute whole vectors. What is left over there (at most 63 codes at the end of a contiguous run) they dequantize as
/// (a - za) * sa instead, which moves a sum next to a tie: those codes can differ from ours, by one.
/// </summary>
public static class Int8Add
{
    /// <summary>output = a + b.</summary>
    /// <param name="a">The codes of the first array.</param>
    /// <param name="aParams">Their scale and zero point; the zero point within 0..255.</param>
    /// <param name="b">The codes of the second: as many as <paramref name="a"/>; or a row that repeats along it (one code for each channel, channels last); or one code.</param>
    /// <param name="bParams">Their scale and zero point.</param>
    /// <param name="output">Receives as many codes as <paramref name="a"/> has; may be its memory.</param>
    /// <param name="outParams">The scale and zero point of the output.</param>
    /// <param name="relu">Whether negative sums become 0.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together, or a parameter is out of its range.</exception>
    public static void Add(ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams, bool relu = false, int threads = 1) =>
        Add(Isa.Current, a, aParams, b, bParams, output, outParams, relu, threads);

    internal static void Add(Isa isa, ReadOnlySpan<byte> a, QParams aParams, ReadOnlySpan<byte> b, QParams bParams, Span<byte> output, QParams outParams, bool relu, int threads)
    {
        CodePairArguments.Check(a, aParams, b, bParams, output, outParams, threads);
        if (!a.IsEmpty)
            CodePairs<Sum>.Run(isa, Factors(aParams, bParams, outParams, relu), a, b, output, threads);
    }

    internal static CodePairFactors Factors(QParams a, QParams b, QParams output, bool relu) => new(a.Scale, -(a.Scale * a.ZeroPoint), b.Scale, -(b.Scale * b.ZeroPoint), 1f / output.Scale)
    {
        IsBounded = Largest(a, b) / output.Scale < CodePairFactors.Bound && Largest(a, b) < float.MaxValue,
        ZeroPoint = output.ZeroPoint,
        Lowest = CodeRange.LowestFromZero(output, relu) + output.ZeroPoint,
        Highest = output.Highest,
    };

    private static double Largest(QParams a, QParams b) => ((double)a.Scale + b.Scale) * byte.MaxValue;

    internal readonly struct Sum : ICodePairOperation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TFloat Scaled<TLanes, TFloat, TInt>(TInt a, TInt b, TFloat aScale, TFloat aZero, TFloat bScale, TFloat bZero, TFloat ratio) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat left = TLanes.FusedMultiplyAdd(aScale, TLanes.ToFloat(a), aZero), right = TLanes.FusedMultiplyAdd(bScale, TLanes.ToFloat(b), bZero);
            return TLanes.Multiply(TLanes.Add(left, right), ratio);
        }
    }
}
