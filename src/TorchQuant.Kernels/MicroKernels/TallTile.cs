using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// Up to eight rows by two vectors of four columns, for Arm: sums in registers over the whole depth. One load of activations serves four groups of the depth, each a lane that the products select.
/// <code>
///                w0   w1      one group: two loads of weights, two products a row
///   row 0  a[g]  s0   t0
///   row 1  a[g]  s1   t1
/// </code>
/// The number of rows is a type, as in <see cref="Tile{TDot, TVector}"/>.
/// </summary>
internal static unsafe class TallTile<TDot, TSums, TWeights, TSelected>
    where TDot : struct, IQuadDot<TSums, TWeights, TSelected>
{
    private const int Columns = 8, VectorColumns = 4;

    /// <summary>A whole panel of 32 columns, for a depth of <paramref name="fours"/> times four groups.</summary>
    public static void RunPanel<TRows>(byte* a, nint stride, sbyte* panel, nint fours, int* tile) where TRows : struct, IRows
    {
        for (int column = 0; column < PackedWeights.PanelColumns; column += Columns)
            Run<TRows>(a, stride, panel + column * PackedWeights.GroupDepth, fours, tile + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows>(byte* a, nint stride, sbyte* weights, nint fours, int* tile) where TRows : struct, IRows
    {
        nint stride2 = 2 * stride;
        byte* p0 = a, p3 = a + 3 * stride, p6 = a + 6 * stride;
        TSums s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, s4 = TDot.Zero, s5 = TDot.Zero, s6 = TDot.Zero, s7 = TDot.Zero;
        TSums t0 = TDot.Zero, t1 = TDot.Zero, t2 = TDot.Zero, t3 = TDot.Zero, t4 = TDot.Zero, t5 = TDot.Zero, t6 = TDot.Zero, t7 = TDot.Zero;
        for (; fours > 0; fours--, weights += 4 * PackedWeights.GroupBytes, p0 += 16, p3 += 16, p6 += 16)
        {
            Vector128<sbyte> a0 = SignedCodes.Load(p0), a1 = default, a2 = default, a3 = default, a4 = default, a5 = default, a6 = default, a7 = default;
            if (TRows.Count > 1)
                a1 = SignedCodes.Load(p0 + stride);
            if (TRows.Count > 2)
                a2 = SignedCodes.Load(p0 + stride2);
            if (TRows.Count > 3)
                a3 = SignedCodes.Load(p3);
            if (TRows.Count > 4)
                a4 = SignedCodes.Load(p3 + stride);
            if (TRows.Count > 5)
                a5 = SignedCodes.Load(p3 + stride2);
            if (TRows.Count > 6)
                a6 = SignedCodes.Load(p6);
            if (TRows.Count > 7)
                a7 = SignedCodes.Load(p6 + stride);
            Add<TRows>(weights, 0, a0, a1, a2, a3, a4, a5, a6, a7, ref s0, ref t0, ref s1, ref t1, ref s2, ref t2, ref s3, ref t3, ref s4, ref t4, ref s5, ref t5, ref s6, ref t6, ref s7, ref t7);
            Add<TRows>(weights + 1 * PackedWeights.GroupBytes, 1, a0, a1, a2, a3, a4, a5, a6, a7, ref s0, ref t0, ref s1, ref t1, ref s2, ref t2, ref s3, ref t3, ref s4, ref t4, ref s5, ref t5, ref s6, ref t6, ref s7, ref t7);
            Add<TRows>(weights + 2 * PackedWeights.GroupBytes, 2, a0, a1, a2, a3, a4, a5, a6, a7, ref s0, ref t0, ref s1, ref t1, ref s2, ref t2, ref s3, ref t3, ref s4, ref t4, ref s5, ref t5, ref s6, ref t6, ref s7, ref t7);
            Add<TRows>(weights + 3 * PackedWeights.GroupBytes, 3, a0, a1, a2, a3, a4, a5, a6, a7, ref s0, ref t0, ref s1, ref t1, ref s2, ref t2, ref s3, ref t3, ref s4, ref t4, ref s5, ref t5, ref s6, ref t6, ref s7, ref t7);
        }

        Store(s0, t0, tile);
        if (TRows.Count > 1)
            Store(s1, t1, tile + 1 * PackedWeights.PanelColumns);
        if (TRows.Count > 2)
            Store(s2, t2, tile + 2 * PackedWeights.PanelColumns);
        if (TRows.Count > 3)
            Store(s3, t3, tile + 3 * PackedWeights.PanelColumns);
        if (TRows.Count > 4)
            Store(s4, t4, tile + 4 * PackedWeights.PanelColumns);
        if (TRows.Count > 5)
            Store(s5, t5, tile + 5 * PackedWeights.PanelColumns);
        if (TRows.Count > 6)
            Store(s6, t6, tile + 6 * PackedWeights.PanelColumns);
        if (TRows.Count > 7)
            Store(s7, t7, tile + 7 * PackedWeights.PanelColumns);
    }

    /// <summary>One group of the depth for all rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(
        sbyte* weights, [ConstantExpected(Max = (byte)3)] byte group, Vector128<sbyte> a0, Vector128<sbyte> a1, Vector128<sbyte> a2, Vector128<sbyte> a3, Vector128<sbyte> a4, Vector128<sbyte> a5, Vector128<sbyte> a6, Vector128<sbyte> a7,
        ref TSums s0, ref TSums t0, ref TSums s1, ref TSums t1, ref TSums s2, ref TSums t2, ref TSums s3, ref TSums t3, ref TSums s4, ref TSums t4, ref TSums s5, ref TSums t5, ref TSums s6, ref TSums t6, ref TSums s7, ref TSums t7)
        where TRows : struct, IRows
    {
        TWeights w0 = TDot.LoadWeights(weights), w1 = TDot.LoadWeights(weights + VectorColumns * PackedWeights.GroupDepth);
        AddRow(w0, w1, a0, group, ref s0, ref t0);
        if (TRows.Count > 1)
            AddRow(w0, w1, a1, group, ref s1, ref t1);
        if (TRows.Count > 2)
            AddRow(w0, w1, a2, group, ref s2, ref t2);
        if (TRows.Count > 3)
            AddRow(w0, w1, a3, group, ref s3, ref t3);
        if (TRows.Count > 4)
            AddRow(w0, w1, a4, group, ref s4, ref t4);
        if (TRows.Count > 5)
            AddRow(w0, w1, a5, group, ref s5, ref t5);
        if (TRows.Count > 6)
            AddRow(w0, w1, a6, group, ref s6, ref t6);
        if (TRows.Count > 7)
            AddRow(w0, w1, a7, group, ref s7, ref t7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow(TWeights w0, TWeights w1, Vector128<sbyte> activations, [ConstantExpected(Max = (byte)3)] byte group, ref TSums left, ref TSums right)
    {
        TSelected selected = TDot.Select(activations, group);
        left = TDot.MultiplyAdd(left, w0, selected, group);
        right = TDot.MultiplyAdd(right, w1, selected, group);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TSums left, TSums right, int* target)
    {
        TDot.Total(left).Store(target);
        TDot.Total(right).Store(target + VectorColumns);
    }
}
