using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// What generated code needs to add a residual to numbers of codes that are not rounded yet, each number once for every float of a vector. Counted from its zero point z, a code is r = code - z, and
/// fma(s, code, -(s * z)) of <see cref="Int8Add"/> is fma(s, r, e) with e = s * z - (s * z rounded), since float32 holds e exactly: the same real number, rounded once. So the zero point needs no
/// instruction.
/// </summary>
internal unsafe struct ResidualTerms
{
    private const int Numbers = 16;

    /// <summary>The range of the codes that are computed, counted from their zero point.</summary>
    public fixed float Lowest[Numbers];
    public fixed float Highest[Numbers];

    /// <summary>Their scale, and e.</summary>
    public fixed float Scale[Numbers];
    public fixed float Remainder[Numbers];

    /// <summary>Of the codes that are added: the scale, and what it is added to.</summary>
    public fixed float AddedScale[Numbers];
    public fixed float AddedZero[Numbers];

    /// <summary>Divides by the scale of the sum.</summary>
    public fixed float Ratio[Numbers];

    public void Set(ref readonly GemmJob job)
    {
        ref readonly CodePairFactors factors = ref job.Residual.Factors;
        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        int zeroPoint = job.Requantized.ZeroPoint;
        Fill(ref Lowest[0], low - zeroPoint);
        Fill(ref Highest[0], high - zeroPoint);
        Fill(ref Scale[0], factors.AScale);
        Fill(ref Remainder[0], MathF.FusedMultiplyAdd(factors.AScale, zeroPoint, factors.AZero));
        Fill(ref AddedScale[0], factors.BScale);
        Fill(ref AddedZero[0], factors.BZero);
        Fill(ref Ratio[0], factors.Ratio);
    }

    private static void Fill(ref float numbers, float value) => new Span<float>(Unsafe.AsPointer(ref numbers), Numbers).Fill(value);
}
