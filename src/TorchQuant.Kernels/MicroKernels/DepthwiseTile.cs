using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// The depthwise kernel of every ISA with vectors: for one vector of channels, up to eight outputs with their sums in registers, so that a load of weights serves eight
/// products. The number of outputs is a type, as in <see cref="Tile{TDot, TVector}"/>.
/// </summary>
internal static unsafe class DepthwiseTile<TDot, TVector>
    where TDot : struct, IGroupDot<TVector>
{
    private const int MaxRows = 8;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPanel(int rows, byte* activations, in DepthwiseSteps steps, sbyte* panel, int columns, int* tile)
    {
        // Without dilation the columns of an output are one piece: one loop instead of two.
        DepthwiseSteps walk = steps.Tap == steps.Groups * PackedWeights.GroupBytes ? steps with { Taps = 1, Groups = steps.Taps * steps.Groups } : steps;
        int parts = (rows + MaxRows - 1) / MaxRows;
        for (int part = 0; part < parts; part++)
        {
            int first = EvenSplit.Part(rows, part, parts), count = EvenSplit.Part(rows, part + 1, parts) - first;
            Run(count, activations + first * steps.Output, in walk, panel, columns, tile + first * PackedWeights.PanelColumns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(int rows, byte* activations, in DepthwiseSteps steps, sbyte* weights, int columns, int* tile)
    {
        switch (rows)
        {
            case 1: Run<Rows1>(activations, in steps, weights, columns, tile); break;
            case 2: Run<Rows2>(activations, in steps, weights, columns, tile); break;
            case 3: Run<Rows3>(activations, in steps, weights, columns, tile); break;
            case 4: Run<Rows4>(activations, in steps, weights, columns, tile); break;
            case 5: Run<Rows5>(activations, in steps, weights, columns, tile); break;
            case 6: Run<Rows6>(activations, in steps, weights, columns, tile); break;
            case 7: Run<Rows7>(activations, in steps, weights, columns, tile); break;
            default: Run<Rows8>(activations, in steps, weights, columns, tile); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRows>(byte* activations, in DepthwiseSteps steps, sbyte* weights, int columns, int* tile)
        where TRows : struct, IRows
    {
        nint step = steps.Output, step2 = 2 * step, groups = steps.Groups, skip = steps.Tap - groups * PackedWeights.GroupBytes;
        for (; columns > 0; columns -= TDot.Columns, activations += TDot.Columns * PackedWeights.GroupDepth, weights += TDot.Columns * PackedWeights.GroupDepth, tile += TDot.Columns)
        {
            sbyte* w0 = weights;
            byte* p0 = activations, p3 = p0 + 3 * step, p6 = p0 + 6 * step;
            TVector s0 = TDot.Zero, s1 = TDot.Zero, s2 = TDot.Zero, s3 = TDot.Zero, s4 = TDot.Zero, s5 = TDot.Zero, s6 = TDot.Zero, s7 = TDot.Zero;
            for (nint taps = steps.Taps; taps > 0; taps--, p0 += skip, p3 += skip, p6 += skip)
            {
                for (nint g = groups; g > 0; g--, w0 += PackedWeights.GroupBytes, p0 += PackedWeights.GroupBytes, p3 += PackedWeights.GroupBytes, p6 += PackedWeights.GroupBytes)
                {
                    TVector w = TDot.LoadWeights(w0), even = TDot.EvenWeights(w), odd = TDot.OddWeights(w);
                    if (TRows.Count > 0)
                        s0 = Add(s0, p0, even, odd);
                    if (TRows.Count > 1)
                        s1 = Add(s1, p0 + step, even, odd);
                    if (TRows.Count > 2)
                        s2 = Add(s2, p0 + step2, even, odd);
                    if (TRows.Count > 3)
                        s3 = Add(s3, p3, even, odd);
                    if (TRows.Count > 4)
                        s4 = Add(s4, p3 + step, even, odd);
                    if (TRows.Count > 5)
                        s5 = Add(s5, p3 + step2, even, odd);
                    if (TRows.Count > 6)
                        s6 = Add(s6, p6, even, odd);
                    if (TRows.Count > 7)
                        s7 = Add(s7, p6 + step, even, odd);
                }
            }

            if (TRows.Count > 0)
                TDot.Store(s0, tile);
            if (TRows.Count > 1)
                TDot.Store(s1, tile + 1 * PackedWeights.PanelColumns);
            if (TRows.Count > 2)
                TDot.Store(s2, tile + 2 * PackedWeights.PanelColumns);
            if (TRows.Count > 3)
                TDot.Store(s3, tile + 3 * PackedWeights.PanelColumns);
            if (TRows.Count > 4)
                TDot.Store(s4, tile + 4 * PackedWeights.PanelColumns);
            if (TRows.Count > 5)
                TDot.Store(s5, tile + 5 * PackedWeights.PanelColumns);
            if (TRows.Count > 6)
                TDot.Store(s6, tile + 6 * PackedWeights.PanelColumns);
            if (TRows.Count > 7)
                TDot.Store(s7, tile + 7 * PackedWeights.PanelColumns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Add(TVector sums, byte* activations, TVector evenWeights, TVector oddWeights)
    {
        TVector x = TDot.LoadActivations(activations);
        return TDot.MultiplyAdd(sums, TDot.EvenActivations(x), TDot.OddActivations(x), evenWeights, oddWeights);
    }
}
