using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// One or two rows by a whole panel, eight vectors of four columns, for Arm: as <see cref="TallTile{TDot, TSums, TWeights, TSelected}"/>. The weights are read once, in the order of their addresses,
/// which for so few rows is what takes the time.
/// </summary>
internal static unsafe class WideTile<TDot, TSums, TWeights, TSelected>
    where TDot : struct, IQuadDot<TSums, TWeights, TSelected>
{
    private const int VectorColumns = 4, VectorBytes = VectorColumns * PackedWeights.GroupDepth;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPanel<TRows>(byte* a, nint stride, sbyte* panel, nint fours, int* tile) where TRows : struct, IRows
    {
        byte* b = a + stride;
        TSums s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, s4 = TDot.Zero, s5 = TDot.Zero, s6 = TDot.Zero, s7 = TDot.Zero;
        TSums t0 = TDot.Zero, t1 = TDot.Zero, t2 = TDot.Zero, t3 = TDot.Zero, t4 = TDot.Zero, t5 = TDot.Zero, t6 = TDot.Zero, t7 = TDot.Zero;
        for (; fours > 0; fours--, panel += 4 * PackedWeights.GroupBytes, a += 16, b += 16)
        {
            Vector128<sbyte> x = SignedCodes.Load(a), y = default;
            if (TRows.Count > 1)
                y = SignedCodes.Load(b);
            Add<TRows>(panel, 0, x, y, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7, ref t0, ref t1, ref t2, ref t3, ref t4, ref t5, ref t6, ref t7);
            Add<TRows>(panel + 1 * PackedWeights.GroupBytes, 1, x, y, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7, ref t0, ref t1, ref t2, ref t3, ref t4, ref t5, ref t6, ref t7);
            Add<TRows>(panel + 2 * PackedWeights.GroupBytes, 2, x, y, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7, ref t0, ref t1, ref t2, ref t3, ref t4, ref t5, ref t6, ref t7);
            Add<TRows>(panel + 3 * PackedWeights.GroupBytes, 3, x, y, ref s0, ref s1, ref s2, ref s3, ref s4, ref s5, ref s6, ref s7, ref t0, ref t1, ref t2, ref t3, ref t4, ref t5, ref t6, ref t7);
        }

        Store(s0, s1, s2, s3, s4, s5, s6, s7, tile);
        if (TRows.Count > 1)
            Store(t0, t1, t2, t3, t4, t5, t6, t7, tile + PackedWeights.PanelColumns);
    }

    /// <summary>One group of the depth for the rows: each vector of weights is loaded when it is needed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(
        sbyte* weights, [ConstantExpected(Max = (byte)3)] byte group, Vector128<sbyte> x, Vector128<sbyte> y,
        ref TSums s0, ref TSums s1, ref TSums s2, ref TSums s3, ref TSums s4, ref TSums s5, ref TSums s6, ref TSums s7,
        ref TSums t0, ref TSums t1, ref TSums t2, ref TSums t3, ref TSums t4, ref TSums t5, ref TSums t6, ref TSums t7)
        where TRows : struct, IRows
    {
        TSelected xs = TDot.Select(x, group), ys = TRows.Count > 1 ? TDot.Select(y, group) : xs;
        AddColumns<TRows>(TDot.LoadWeights(weights), xs, ys, group, ref s0, ref t0);
        AddColumns<TRows>(TDot.LoadWeights(weights + 1 * VectorBytes), xs, ys, group, ref s1, ref t1);
        AddColumns<TRows>(TDot.LoadWeights(weights + 2 * VectorBytes), xs, ys, group, ref s2, ref t2);
        AddColumns<TRows>(TDot.LoadWeights(weights + 3 * VectorBytes), xs, ys, group, ref s3, ref t3);
        AddColumns<TRows>(TDot.LoadWeights(weights + 4 * VectorBytes), xs, ys, group, ref s4, ref t4);
        AddColumns<TRows>(TDot.LoadWeights(weights + 5 * VectorBytes), xs, ys, group, ref s5, ref t5);
        AddColumns<TRows>(TDot.LoadWeights(weights + 6 * VectorBytes), xs, ys, group, ref s6, ref t6);
        AddColumns<TRows>(TDot.LoadWeights(weights + 7 * VectorBytes), xs, ys, group, ref s7, ref t7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddColumns<TRows>(TWeights weights, TSelected x, TSelected y, [ConstantExpected(Max = (byte)3)] byte group, ref TSums s, ref TSums t)
        where TRows : struct, IRows
    {
        s = TDot.MultiplyAdd(s, weights, x, group);
        if (TRows.Count > 1)
            t = TDot.MultiplyAdd(t, weights, y, group);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TSums s0, TSums s1, TSums s2, TSums s3, TSums s4, TSums s5, TSums s6, TSums s7, int* target)
    {
        TDot.Total(s0).Store(target);
        TDot.Total(s1).Store(target + VectorColumns);
        TDot.Total(s2).Store(target + 2 * VectorColumns);
        TDot.Total(s3).Store(target + 3 * VectorColumns);
        TDot.Total(s4).Store(target + 4 * VectorColumns);
        TDot.Total(s5).Store(target + 5 * VectorColumns);
        TDot.Total(s6).Store(target + 6 * VectorColumns);
        TDot.Total(s7).Store(target + 7 * VectorColumns);
    }
}
