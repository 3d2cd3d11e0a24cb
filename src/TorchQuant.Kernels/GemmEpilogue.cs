using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Turns a tile of raw sums into results. sum = raw - za * columnSum[n] - zw[n] * rowSum[m], where columnSum[n] is the sum over k of (w - zw): what the zero points
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
            switch (job.Kind)
            {
                case GemmOutput.Int32:
                    ToInt32(in job, tile + c, row, rows, column + c);
                    break;
                case GemmOutput.Float:
                    ToFloat(in job, tile + c, row, rows, column + c);
                    break;
                case GemmOutput.Byte when job.Fused == FusedActivation.Hardswish:
                    ToHardswishByte(in job, tile + c, row, rows, column + c);
                    break;
                default:
                    ToByte(in job, tile + c, row, rows, column + c);
                    break;
            }
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToByte(ref readonly GemmJob job, int* tile, int row, int rows, int column)
    {
        TInt correction = Correction(in job, column);
        TFloat scale = TLanes.Multiply(TLanes.Broadcast(job.Activation.Scale), TLanes.Load(job.ColumnScales + column));
        TFloat multiplier = TLanes.Divide(scale, TLanes.Broadcast(job.Requantized.Scale));
        bool hasBias = job.Bias != null;
        TFloat bias = hasBias ? BiasInSums(in job, TLanes.Load(job.Bias + column), scale) : TLanes.Broadcast(0);
        int zero = job.Requantized.ZeroPoint;
        (int low, int high) = CodeRange.Of(job.Fused, job.Requantized);
        TFloat lowest = TLanes.Broadcast(low - zero), highest = TLanes.Broadcast(high - zero);
        TInt zeroPoint = TLanes.BroadcastInt(zero);
        byte* output = (byte*)job.Output + row * job.OutputStride + column;
        for (int r = 0; r < rows; r++, tile += PackedWeights.PanelColumns, output += job.OutputStride)
        {
            TFloat raw = TLanes.ToFloat(Sum(in job, tile, correction, row + r, column));
            if (hasBias)
                raw = TLanes.Add(raw, bias);
            TLanes.StoreBytes(Elementwise<TLanes, TFloat, TInt>.ToCodes(TLanes.Multiply(raw, multiplier), lowest, highest, zeroPoint), output);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ToHardswishByte(ref readonly GemmJob job, int* tile, int row, int rows, int column)
    {
        TInt correction = Correction(in job, column);
        TFloat scale = TLanes.Multiply(TLanes.Broadcast(job.Activation.Scale), TLanes.Load(job.ColumnScales + column));
        bool hasBias = job.Bias != null;
        TFloat bias = hasBias ? BiasInSums(in job, TLanes.Load(job.Bias + column), scale) : TLanes.Broadcast(0);
        TFloat inverse = TLanes.Broadcast(1f / job.Requantized.Scale);
        int zero = job.Requantized.ZeroPoint;
        TFloat lowest = TLanes.Broadcast(-zero), highest = TLanes.Broadcast(byte.MaxValue - zero);
        TInt zeroPoint = TLanes.BroadcastInt(zero);
        byte* output = (byte*)job.Output + row * job.OutputStride + column;
        for (int r = 0; r < rows; r++, tile += PackedWeights.PanelColumns, output += job.OutputStride)
        {
            TFloat raw = TLanes.ToFloat(Sum(in job, tile, correction, row + r, column));
            if (hasBias)
                raw = TLanes.Add(raw, bias);
            TFloat y = TLanes.Multiply(raw, scale);
            TFloat gate = TLanes.Min(TLanes.Max(TLanes.Add(y, TLanes.Broadcast(3)), TLanes.Broadcast(0)), TLanes.Broadcast(6));
            y = TLanes.Divide(TLanes.Multiply(y, gate), TLanes.Broadcast(6));
            TLanes.StoreBytes(Elementwise<TLanes, TFloat, TInt>.ToCodes(TLanes.Multiply(y, inverse), lowest, highest, zeroPoint), output);
        }
    }

    /// <summary>The bias in units of the sums. FBGEMM divides per channel and multiplies by the reciprocal per tensor; so do we, to agree with it in every code.</summary>
    private static TFloat BiasInSums(ref readonly GemmJob job, TFloat bias, TFloat scale) =>
        job.IsPerTensor ? TLanes.Multiply(bias, TLanes.Divide(TLanes.Broadcast(1), scale)) : TLanes.Divide(bias, scale);

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
