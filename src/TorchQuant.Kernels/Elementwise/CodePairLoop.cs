using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>An operation on two codes, written once for every vector width.</summary>
internal interface ICodePairOperation
{
    /// <summary>The result in units of the output's scale, not yet rounded. The factors are those of <see cref="CodePairFactors"/>.</summary>
    static abstract TFloat Scaled<TLanes, TFloat, TInt>(TInt a, TInt b, TFloat aScale, TFloat aZero, TFloat bScale, TFloat bZero, TFloat ratio)
        where TLanes : struct, ILanes<TFloat, TInt>;
}

/// <summary>
/// The loop over two arrays of codes. Four vectors at a time are rounded, and become codes in packed integers; that is right where every result fits an int32, which the factors
/// tell. Else, and for what four vectors leave over, each vector is clamped as floats first.
/// </summary>
internal static unsafe class CodePairLoop<TOperation, TLanes, TFloat, TInt>
    where TOperation : struct, ICodePairOperation
    where TLanes : struct, ILanes<TFloat, TInt>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(byte* a, byte* b, byte* output, nint count, in CodePairFactors factors)
    {
        nint i = 0;
        if (factors.IsBounded)
        {
            TFloat aScale = TLanes.Broadcast(factors.AScale), aZero = TLanes.Broadcast(factors.AZero), bScale = TLanes.Broadcast(factors.BScale), bZero = TLanes.Broadcast(factors.BZero);
            TFloat ratio = TLanes.Broadcast(factors.Ratio);
            TInt zeroPoint = TLanes.BroadcastShort((short)factors.ZeroPoint), lowest = TLanes.BroadcastByte((byte)factors.Lowest), highest = TLanes.BroadcastByte((byte)factors.Highest);
            for (; i <= count - 4 * TLanes.Count; i += 4 * TLanes.Count)
            {
                TInt first = TLanes.RoundToInt(Scaled(a + i, b + i, aScale, aZero, bScale, bZero, ratio));
                TInt second = TLanes.RoundToInt(Scaled(a + i + TLanes.Count, b + i + TLanes.Count, aScale, aZero, bScale, bZero, ratio));
                TInt third = TLanes.RoundToInt(Scaled(a + i + 2 * TLanes.Count, b + i + 2 * TLanes.Count, aScale, aZero, bScale, bZero, ratio));
                TInt fourth = TLanes.RoundToInt(Scaled(a + i + 3 * TLanes.Count, b + i + 3 * TLanes.Count, aScale, aZero, bScale, bZero, ratio));
                TLanes.StoreCodes(first, second, third, fourth, zeroPoint, lowest, highest, output + i);
            }
        }

        if (i < count)
            Careful(a + i, b + i, output + i, count - i, in factors);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Careful(byte* a, byte* b, byte* output, nint count, in CodePairFactors factors)
    {
        TFloat aScale = TLanes.Broadcast(factors.AScale), aZero = TLanes.Broadcast(factors.AZero), bScale = TLanes.Broadcast(factors.BScale), bZero = TLanes.Broadcast(factors.BZero);
        TFloat ratio = TLanes.Broadcast(factors.Ratio);
        TFloat lowest = TLanes.Broadcast(factors.Lowest - factors.ZeroPoint), highest = TLanes.Broadcast(factors.Highest - factors.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(factors.ZeroPoint);
        nint i = 0;
        for (; i <= count - TLanes.Count; i += TLanes.Count)
            TLanes.StoreBytes(Elementwise<TLanes, TFloat, TInt>.ToCodes(Scaled(a + i, b + i, aScale, aZero, bScale, bZero, ratio), lowest, highest, zeroPoint), output + i);
        if (i < count)
            CodePairLoop<TOperation, ScalarLanes, float, int>.Run(a + i, b + i, output + i, count - i, in factors);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TFloat Scaled(byte* a, byte* b, TFloat aScale, TFloat aZero, TFloat bScale, TFloat bZero, TFloat ratio) =>
        TOperation.Scaled<TLanes, TFloat, TInt>(TLanes.LoadBytes(a), TLanes.LoadBytes(b), aScale, aZero, bScale, bZero, ratio);
}
