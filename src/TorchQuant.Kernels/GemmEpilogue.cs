using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Turns a tile of raw sums into int32 or float results; <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/> into uint8. sum = raw - za * columnSum[n] - zw[n] * rowSum[m], where columnSum[n] is the sum over k of (w - zw): what the zero points
/// of both sides contribute, so that the inner loops know nothing of them. Written once for every vector width.
/// </summary>
internal static unsafe class GemmEpilogue<TLanes, TFloat, TInt>
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Finishes rows [row, row + rows) and columns [column, column + columns) of the output; the tile's rows are 32 apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(ref readonly GemmJob job, int* tile, int row, int rows, int column, int columns)
    {
        int c = 0;
        for (; c <= columns - TLanes.Count; c += TLanes.Count)
        {
            if (job.Kind == GemmOutput.Int32)
                ToInt32(in job, tile + c, row, rows, column + c);
            else
                ToFloat(in job, tile + c, row, rows, column + c);
        }

        if (c < columns)
            GemmEpilogue<ScalarLanes, float, int>.Apply(in job, tile + c, row, rows, column + c, columns - c);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToInt32(ref readonly GemmJob job, int* tile, int row, int rows, int column)
    {
        TInt correction = Correction(in job, column);
        int* output = (int*)job.Output + row * job.OutputStride + column;
        for (int r = 0; r < rows; r++, tile += PackedWeights.PanelColumns, output += job.OutputStride)
            TLanes.StoreInt(Sum(in job, tile, correction, row + r, column), output);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToFloat(ref readonly GemmJob job, int* tile, int row, int rows, int column)
    {
        TInt correction = Correction(in job, column);
        TFloat scale = TLanes.Multiply(TLanes.Broadcast(job.Activation.Scale), TLanes.Load(job.ColumnScales + column));
        bool hasBias = job.Bias != null, relu = job.Relu, accumulate = job.Accumulate;
        TFloat bias = hasBias ? TLanes.Load(job.Bias + column) : TLanes.Broadcast(0);
        float* output = (float*)job.Output + row * job.OutputStride + column;
        for (int r = 0; r < rows; r++, tile += PackedWeights.PanelColumns, output += job.OutputStride)
        {
            TFloat sum = TLanes.ToFloat(Sum(in job, tile, correction, row + r, column));
            // Fused, as libtorch's kernels do: their results are ours to the bit.
            TFloat y = hasBias ? TLanes.FusedMultiplyAdd(sum, scale, bias) : TLanes.Multiply(sum, scale);
            if (accumulate)
                y = TLanes.Add(TLanes.Load(output), y);
            if (relu)
                y = TLanes.Relu(y);
            TLanes.Store(y, output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Correction(ref readonly GemmJob job, int column) =>
        TLanes.MultiplyInt(TLanes.BroadcastInt(job.Activation.ZeroPoint), TLanes.LoadInt(job.ColumnSums + column));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TInt Sum(ref readonly GemmJob job, int* tile, TInt correction, int row, int column)
    {
        TInt sum = TLanes.SubtractInt(TLanes.LoadInt(tile), correction);
        return job.RowSums == null
            ? sum
            : TLanes.SubtractInt(sum, TLanes.MultiplyInt(TLanes.BroadcastInt(job.RowSums[row]), TLanes.LoadInt(job.ColumnZeroPoints + column)));
    }
}
