using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TorchQuant.Kernels;

/// <summary>
/// Up to four rows by four vectors of four columns, for Arm: as <see cref="TallTile{TDot, TSums, TWeights, TSelected}"/>, for rows that are too few to keep its products apart from each other.
/// <code>
///                w0   w1   w2   w3
///   row 0  a[g]  s0   s1   s2   s3
///   row 1  a[g]  t0   t1   t2   t3
/// </code>
/// </summary>
internal static unsafe class SquareTile<TDot, TSums, TWeights, TSelected>
    where TDot : struct, IQuadDot<TSums, TWeights, TSelected>
{
    private const int Columns = 16, VectorColumns = 4, VectorBytes = VectorColumns * PackedWeights.GroupDepth;

    /// <summary>A whole panel of 32 columns, for a depth of <paramref name="fours"/> times four groups.</summary>
    public static void RunPanel<TRows>(byte* a, nint stride, sbyte* panel, nint fours, int* tile) where TRows : struct, IRows
    {
        for (int column = 0; column < PackedWeights.PanelColumns; column += Columns)
            Run<TRows>(a, stride, panel + column * PackedWeights.GroupDepth, fours, tile + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows>(byte* a, nint stride, sbyte* weights, nint fours, int* tile) where TRows : struct, IRows
    {
        byte* p0 = a, p1 = a + stride, p2 = p1 + stride, p3 = p2 + stride;
        TSums s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, t0 = TDot.Zero, t1 = TDot.Zero, t2 = TDot.Zero, t3 = TDot.Zero;
        TSums u0 = TDot.Zero, u1 = TDot.Zero, u2 = TDot.Zero, u3 = TDot.Zero, v0 = TDot.Zero, v1 = TDot.Zero, v2 = TDot.Zero, v3 = TDot.Zero;
        for (; fours > 0; fours--, weights += 4 * PackedWeights.GroupBytes, p0 += 16, p1 += 16, p2 += 16, p3 += 16)
        {
            Vector128<sbyte> a0 = SignedCodes.Load(p0), a1 = default, a2 = default, a3 = default;
            if (TRows.Count > 1)
                a1 = SignedCodes.Load(p1);
            if (TRows.Count > 2)
                a2 = SignedCodes.Load(p2);
            if (TRows.Count > 3)
                a3 = SignedCodes.Load(p3);
            Add<TRows>(weights, 0, a0, a1, a2, a3, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3, ref u0, ref u1, ref u2, ref u3, ref v0, ref v1, ref v2, ref v3);
            Add<TRows>(weights + 1 * PackedWeights.GroupBytes, 1, a0, a1, a2, a3, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3, ref u0, ref u1, ref u2, ref u3, ref v0, ref v1, ref v2, ref v3);
            Add<TRows>(weights + 2 * PackedWeights.GroupBytes, 2, a0, a1, a2, a3, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3, ref u0, ref u1, ref u2, ref u3, ref v0, ref v1, ref v2, ref v3);
            Add<TRows>(weights + 3 * PackedWeights.GroupBytes, 3, a0, a1, a2, a3, ref s0, ref s1, ref s2, ref s3, ref t0, ref t1, ref t2, ref t3, ref u0, ref u1, ref u2, ref u3, ref v0, ref v1, ref v2, ref v3);
        }

        Store(s0, s1, s2, s3, tile);
        if (TRows.Count > 1)
            Store(t0, t1, t2, t3, tile + 1 * PackedWeights.PanelColumns);
        if (TRows.Count > 2)
            Store(u0, u1, u2, u3, tile + 2 * PackedWeights.PanelColumns);
        if (TRows.Count > 3)
            Store(v0, v1, v2, v3, tile + 3 * PackedWeights.PanelColumns);
    }

    /// <summary>One group of the depth for all rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TRows>(
        sbyte* weights, [ConstantExpected(Max = (byte)3)] byte group, Vector128<sbyte> a0, Vector128<sbyte> a1, Vector128<sbyte> a2, Vector128<sbyte> a3,
        ref TSums s0, ref TSums s1, ref TSums s2, ref TSums s3, ref TSums t0, ref TSums t1, ref TSums t2, ref TSums t3,
        ref TSums u0, ref TSums u1, ref TSums u2, ref TSums u3, ref TSums v0, ref TSums v1, ref TSums v2, ref TSums v3)
        where TRows : struct, IRows
    {
        TWeights w0 = TDot.LoadWeights(weights), w1 = TDot.LoadWeights(weights + VectorBytes), w2 = TDot.LoadWeights(weights + 2 * VectorBytes), w3 = TDot.LoadWeights(weights + 3 * VectorBytes);
        AddRow(w0, w1, w2, w3, a0, group, ref s0, ref s1, ref s2, ref s3);
        if (TRows.Count > 1)
            AddRow(w0, w1, w2, w3, a1, group, ref t0, ref t1, ref t2, ref t3);
        if (TRows.Count > 2)
            AddRow(w0, w1, w2, w3, a2, group, ref u0, ref u1, ref u2, ref u3);
        if (TRows.Count > 3)
            AddRow(w0, w1, w2, w3, a3, group, ref v0, ref v1, ref v2, ref v3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow(
        TWeights w0, TWeights w1, TWeights w2, TWeights w3, Vector128<sbyte> activations, [ConstantExpected(Max = (byte)3)] byte group,
        ref TSums s0, ref TSums s1, ref TSums s2, ref TSums s3)
    {
        TSelected selected = TDot.Select(activations, group);
        s0 = TDot.MultiplyAdd(s0, w0, selected, group);
        s1 = TDot.MultiplyAdd(s1, w1, selected, group);
        s2 = TDot.MultiplyAdd(s2, w2, selected, group);
        s3 = TDot.MultiplyAdd(s3, w3, selected, group);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TSums s0, TSums s1, TSums s2, TSums s3, int* target)
    {
        TDot.Total(s0).Store(target);
        TDot.Total(s1).Store(target + VectorColumns);
        TDot.Total(s2).Store(target + 2 * VectorColumns);
        TDot.Total(s3).Store(target + 3 * VectorColumns);
    }
}
