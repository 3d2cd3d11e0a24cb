using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>The shape of a tile.</summary>
internal static class HalfTile
{
    /// <summary>The rows of activations of a tile: with two vectors of columns, twelve sums, which leaves room for the weights in sixteen registers.</summary>
    public const int Rows = 6;
}

/// <summary>
/// The inner products. Every sum is one chain of fused multiply-adds over the inputs in order; several sums at a time hide the latency.
/// </summary>
internal static unsafe class HalfTile<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>sums[32 p + c] = sum over k of x[k] * panel_p[k, c], for the two vectors of columns c at <paramref name="pair"/> and 16 + <paramref name="pair"/> of four panels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourPanels(float* x, nint k, uint* panel0, uint* panel1, uint* panel2, uint* panel3, nint pair, float* sums)
    {
        TFloat a0 = TLanes.Broadcast(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
        for (nint input = 0; input < k; input++)
        {
            TFloat activation = TLanes.Broadcast(x[input]);
            HalfDecoder<TLanes, TFloat, TInt>.Load(panel0, input, pair, out TFloat low, out TFloat high);
            a0 = TLanes.FusedMultiplyAdd(activation, low, a0);
            a1 = TLanes.FusedMultiplyAdd(activation, high, a1);
            HalfDecoder<TLanes, TFloat, TInt>.Load(panel1, input, pair, out low, out high);
            b0 = TLanes.FusedMultiplyAdd(activation, low, b0);
            b1 = TLanes.FusedMultiplyAdd(activation, high, b1);
            HalfDecoder<TLanes, TFloat, TInt>.Load(panel2, input, pair, out low, out high);
            c0 = TLanes.FusedMultiplyAdd(activation, low, c0);
            c1 = TLanes.FusedMultiplyAdd(activation, high, c1);
            HalfDecoder<TLanes, TFloat, TInt>.Load(panel3, input, pair, out low, out high);
            d0 = TLanes.FusedMultiplyAdd(activation, low, d0);
            d1 = TLanes.FusedMultiplyAdd(activation, high, d1);
        }

        Store(a0, a1, sums + pair);
        Store(b0, b1, sums + HalfPanels.Columns + pair);
        Store(c0, c1, sums + 2 * HalfPanels.Columns + pair);
        Store(d0, d1, sums + 3 * HalfPanels.Columns + pair);
    }

    /// <summary>
    /// sums[32 r + c] = sum over k of x[r, k] * panel[k, c], for the two vectors of columns c at <paramref name="pair"/> and 16 + <paramref name="pair"/>. Where there are fewer than
    /// six rows the last is taken again.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SixRows(float* x, int rows, nint k, uint* panel, nint pair, float* sums)
    {
        float* x1 = x + Math.Min(1, rows - 1) * k, x2 = x + Math.Min(2, rows - 1) * k, x3 = x + Math.Min(3, rows - 1) * k;
        float* x4 = x + Math.Min(4, rows - 1) * k, x5 = x + Math.Min(5, rows - 1) * k;
        TFloat a0 = TLanes.Broadcast(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0, e0 = a0, e1 = a0, f0 = a0, f1 = a0;
        for (nint input = 0; input < k; input++)
        {
            HalfDecoder<TLanes, TFloat, TInt>.Load(panel, input, pair, out TFloat low, out TFloat high);
            TFloat activation = TLanes.Broadcast(x[input]);
            a0 = TLanes.FusedMultiplyAdd(activation, low, a0);
            a1 = TLanes.FusedMultiplyAdd(activation, high, a1);
            activation = TLanes.Broadcast(x1[input]);
            b0 = TLanes.FusedMultiplyAdd(activation, low, b0);
            b1 = TLanes.FusedMultiplyAdd(activation, high, b1);
            activation = TLanes.Broadcast(x2[input]);
            c0 = TLanes.FusedMultiplyAdd(activation, low, c0);
            c1 = TLanes.FusedMultiplyAdd(activation, high, c1);
            activation = TLanes.Broadcast(x3[input]);
            d0 = TLanes.FusedMultiplyAdd(activation, low, d0);
            d1 = TLanes.FusedMultiplyAdd(activation, high, d1);
            activation = TLanes.Broadcast(x4[input]);
            e0 = TLanes.FusedMultiplyAdd(activation, low, e0);
            e1 = TLanes.FusedMultiplyAdd(activation, high, e1);
            activation = TLanes.Broadcast(x5[input]);
            f0 = TLanes.FusedMultiplyAdd(activation, low, f0);
            f1 = TLanes.FusedMultiplyAdd(activation, high, f1);
        }

        Store(a0, a1, sums + pair);
        Store(b0, b1, sums + HalfPanels.Columns + pair);
        Store(c0, c1, sums + 2 * HalfPanels.Columns + pair);
        Store(d0, d1, sums + 3 * HalfPanels.Columns + pair);
        Store(e0, e1, sums + 4 * HalfPanels.Columns + pair);
        Store(f0, f1, sums + 5 * HalfPanels.Columns + pair);
    }

    private static void Store(TFloat low, TFloat high, float* sums)
    {
        TLanes.Store(low, sums);
        TLanes.Store(high, sums + HalfPanels.Pairs);
    }
}
