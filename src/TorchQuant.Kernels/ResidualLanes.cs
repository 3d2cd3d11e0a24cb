using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The numbers of a <see cref="ResidualSum"/> in vectors, for epilogues that add it to codes they have in registers.</summary>
internal unsafe struct ResidualLanes<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    private readonly TFloat _aScale, _aZero, _bScale, _bZero, _ratio, _lowest, _highest;
    private readonly TInt _zeroPoint;

    public ResidualLanes(in CodePairFactors factors)
    {
        (_aScale, _aZero) = (TLanes.Broadcast(factors.AScale), TLanes.Broadcast(factors.AZero));
        (_bScale, _bZero, _ratio) = (TLanes.Broadcast(factors.BScale), TLanes.Broadcast(factors.BZero), TLanes.Broadcast(factors.Ratio));
        (_lowest, _highest) = (TLanes.Broadcast(factors.Lowest - factors.ZeroPoint), TLanes.Broadcast(factors.Highest - factors.ZeroPoint));
        _zeroPoint = TLanes.BroadcastInt(factors.ZeroPoint);
    }

    /// <summary>The codes of the sum of some codes and those at an address, which is read a whole vector long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly TInt Add(TInt codes, byte* residual)
    {
        TFloat sum = Int8Add.Sum.Scaled<TLanes, TFloat, TInt>(codes, TLanes.LoadBytes(residual), _aScale, _aZero, _bScale, _bZero, _ratio);
        return Elementwise<TLanes, TFloat, TInt>.ToCodes(sum, _lowest, _highest, _zeroPoint);
    }

    /// <summary>Adds in place to codes that are in memory already: rows some bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddTo(byte* output, nint stride, int rows, int columns, ref readonly ResidualSum sum)
    {
        if (stride == columns)
            (rows, columns) = (1, rows * columns);
        for (int row = 0; row < rows; row++, output += stride)
            CodePairLoop<Int8Add.Sum, TLanes, TFloat, TInt>.Run(output, sum.At(output), output, columns, in sum.Factors);
    }
}
