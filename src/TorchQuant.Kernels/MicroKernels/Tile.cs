using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The tile of every micro-kernel for x86 written with intrinsics: up to twelve rows by two vectors of columns, sums in registers over the whole depth.
/// <code>
///              w0   w1      one group of four of the depth: two loads of weights,
///   row 0  a   s0   t0      for each row one broadcast of four activations and two dot products
///   row 1  a   s1   t1
/// </code>
/// The number of rows is a type, so a constant for the JIT, which drops the rows that are not there.
/// </summary>
internal static unsafe class Tile<TDot, TVector>
    where TDot : struct, IGroupDot<TVector>
{
    /// <summary>A whole panel of 32 columns for <paramref name="rows"/> rows.</summary>
    public static void RunPanel(int rows, byte* a, nint stride, sbyte* panel, nint groups, int* tile)
    {
        for (int column = 0; column < PackedWeights.PanelColumns; column += 2 * TDot.Columns)
            Run(rows, a, stride, panel + column * PackedWeights.GroupDepth, groups, tile + column);
    }

    private static void Run(int rows, byte* a, nint stride, sbyte* weights, nint groups, int* tile)
    {
        switch (rows)
        {
            case 1: Run<Rows1>(a, stride, weights, groups, tile); break;
            case 2: Run<Rows2>(a, stride, weights, groups, tile); break;
            case 3: Run<Rows3>(a, stride, weights, groups, tile); break;
            case 4: Run<Rows4>(a, stride, weights, groups, tile); break;
            case 5: Run<Rows5>(a, stride, weights, groups, tile); break;
            case 6: Run<Rows6>(a, stride, weights, groups, tile); break;
            case 7: Run<Rows7>(a, stride, weights, groups, tile); break;
            case 8: Run<Rows8>(a, stride, weights, groups, tile); break;
            case 9: Run<Rows9>(a, stride, weights, groups, tile); break;
            case 10: Run<Rows10>(a, stride, weights, groups, tile); break;
            case 11: Run<Rows11>(a, stride, weights, groups, tile); break;
            default: Run<Rows12>(a, stride, weights, groups, tile); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows>(byte* a, nint stride, sbyte* weights, nint groups, int* tile)
        where TRows : struct, IRows
    {
        // Every third row has a pointer of its own; the other two are one and two strides away, which an address can hold.
        nint stride2 = 2 * stride;
        byte* p0 = a, p3 = a + 3 * stride, p6 = a + 6 * stride, p9 = a + 9 * stride;
        TVector s0 = TDot.Zero, t0 = TDot.Zero;
        TVector s1 = TDot.Zero, t1 = TDot.Zero;
        TVector s2 = TDot.Zero, t2 = TDot.Zero;
        TVector s3 = TDot.Zero, t3 = TDot.Zero;
        TVector s4 = TDot.Zero, t4 = TDot.Zero;
        TVector s5 = TDot.Zero, t5 = TDot.Zero;
        TVector s6 = TDot.Zero, t6 = TDot.Zero;
        TVector s7 = TDot.Zero, t7 = TDot.Zero;
        TVector s8 = TDot.Zero, t8 = TDot.Zero;
        TVector s9 = TDot.Zero, t9 = TDot.Zero;
        TVector s10 = TDot.Zero, t10 = TDot.Zero;
        TVector s11 = TDot.Zero, t11 = TDot.Zero;
        for (; groups > 0; groups--, weights += PackedWeights.GroupBytes, p0 += 4, p3 += 4, p6 += 4, p9 += 4)
        {
            TVector w0 = TDot.LoadWeights(weights), w1 = TDot.LoadWeights(weights + TDot.Columns * PackedWeights.GroupDepth);
            TVector even0 = TDot.EvenWeights(w0), odd0 = TDot.OddWeights(w0), even1 = TDot.EvenWeights(w1), odd1 = TDot.OddWeights(w1);
            if (TRows.Count > 0)
            {
                TVector x = TDot.Broadcast(p0), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s0 = TDot.MultiplyAdd(s0, even, odd, even0, odd0);
                t0 = TDot.MultiplyAdd(t0, even, odd, even1, odd1);
            }
            if (TRows.Count > 1)
            {
                TVector x = TDot.Broadcast(p0 + stride), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s1 = TDot.MultiplyAdd(s1, even, odd, even0, odd0);
                t1 = TDot.MultiplyAdd(t1, even, odd, even1, odd1);
            }
            if (TRows.Count > 2)
            {
                TVector x = TDot.Broadcast(p0 + stride2), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s2 = TDot.MultiplyAdd(s2, even, odd, even0, odd0);
                t2 = TDot.MultiplyAdd(t2, even, odd, even1, odd1);
            }
            if (TRows.Count > 3)
            {
                TVector x = TDot.Broadcast(p3), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s3 = TDot.MultiplyAdd(s3, even, odd, even0, odd0);
                t3 = TDot.MultiplyAdd(t3, even, odd, even1, odd1);
            }
            if (TRows.Count > 4)
            {
                TVector x = TDot.Broadcast(p3 + stride), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s4 = TDot.MultiplyAdd(s4, even, odd, even0, odd0);
                t4 = TDot.MultiplyAdd(t4, even, odd, even1, odd1);
            }
            if (TRows.Count > 5)
            {
                TVector x = TDot.Broadcast(p3 + stride2), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s5 = TDot.MultiplyAdd(s5, even, odd, even0, odd0);
                t5 = TDot.MultiplyAdd(t5, even, odd, even1, odd1);
            }
            if (TRows.Count > 6)
            {
                TVector x = TDot.Broadcast(p6), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s6 = TDot.MultiplyAdd(s6, even, odd, even0, odd0);
                t6 = TDot.MultiplyAdd(t6, even, odd, even1, odd1);
            }
            if (TRows.Count > 7)
            {
                TVector x = TDot.Broadcast(p6 + stride), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s7 = TDot.MultiplyAdd(s7, even, odd, even0, odd0);
                t7 = TDot.MultiplyAdd(t7, even, odd, even1, odd1);
            }
            if (TRows.Count > 8)
            {
                TVector x = TDot.Broadcast(p6 + stride2), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s8 = TDot.MultiplyAdd(s8, even, odd, even0, odd0);
                t8 = TDot.MultiplyAdd(t8, even, odd, even1, odd1);
            }
            if (TRows.Count > 9)
            {
                TVector x = TDot.Broadcast(p9), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s9 = TDot.MultiplyAdd(s9, even, odd, even0, odd0);
                t9 = TDot.MultiplyAdd(t9, even, odd, even1, odd1);
            }
            if (TRows.Count > 10)
            {
                TVector x = TDot.Broadcast(p9 + stride), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s10 = TDot.MultiplyAdd(s10, even, odd, even0, odd0);
                t10 = TDot.MultiplyAdd(t10, even, odd, even1, odd1);
            }
            if (TRows.Count > 11)
            {
                TVector x = TDot.Broadcast(p9 + stride2), even = TDot.EvenActivations(x), odd = TDot.OddActivations(x);
                s11 = TDot.MultiplyAdd(s11, even, odd, even0, odd0);
                t11 = TDot.MultiplyAdd(t11, even, odd, even1, odd1);
            }
        }

        if (TRows.Count > 0)
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
        if (TRows.Count > 8)
            Store(s8, t8, tile + 8 * PackedWeights.PanelColumns);
        if (TRows.Count > 9)
            Store(s9, t9, tile + 9 * PackedWeights.PanelColumns);
        if (TRows.Count > 10)
            Store(s10, t10, tile + 10 * PackedWeights.PanelColumns);
        if (TRows.Count > 11)
            Store(s11, t11, tile + 11 * PackedWeights.PanelColumns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TVector left, TVector right, int* target)
    {
        TDot.Store(left, target);
        TDot.Store(right, target + TDot.Columns);
    }
}
