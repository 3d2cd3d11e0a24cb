using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// Products of a few rows with uint8 results by a kernel with float results. Reading the weights is what takes time, so they are gone through in one call; then the sums are requantized, column by
/// column with all that depends on it, to the codes of <see cref="ByteEpilogue{TLanes, TFloat, TInt}"/>.
/// </summary>
internal static unsafe class FewRowsToBytes<TKernel, TLanes, TFloat, TInt>
    where TKernel : struct, IMicroKernel
    where TLanes : struct, ILanes<TFloat, TInt>
{
    /// <summary>Whether the rows are few, and the kernel can do the job.</summary>
    public static bool Fits(GemmJob* job, int rows) =>
        TKernel.GivesFloatsItself && rows <= FloatDriver<TKernel>.FewRows && job->Kind == GemmOutput.Byte && job->Fused != FusedActivation.Hardswish && job->RowSums == null;

    /// <summary>Some panels for some rows, on this thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunPart(GemmJob* job, int firstPanel, int endPanel, int firstRow, int endRow)
    {
        int rows = endRow - firstRow, panels = endPanel - firstPanel, stride = panels * PackedWeights.PanelColumns, column = firstPanel * PackedWeights.PanelColumns;
        int columns = Math.Min(stride, job->N - column), whole = columns / TLanes.Count * TLanes.Count;
        float[] rented = ArrayPool<float>.Shared.Rent(rows * stride);
        fixed (float* sums = rented)
        {
            FloatDriver<TKernel>.Sum(job, firstPanel, panels, firstRow, rows, sums);
            byte* output = (byte*)job->Output + firstRow * job->OutputStride + column;
            Requantize(job, job->Bias == null ? null : job->Bias + column, column, whole, sums, stride, rows, output, job->OutputStride, job->Residual.At(output));
            if (whole < columns)
                RequantizeRest(job, column + whole, columns - whole, sums + whole, stride, rows, output + whole);
        }

        ArrayPool<float>.Shared.Return(rented);
    }

    /// <summary>Columns that are no whole vector: computed as one, and copied as far as they go.</summary>
    [SkipLocalsInit]
    private static void RequantizeRest(GemmJob* job, int column, int columns, float* sums, nint stride, int rows, byte* output)
    {
        const int Bytes = FloatDriver<TKernel>.FewRows * PackedWeights.PanelColumns;
        byte* codes = stackalloc byte[Bytes], others = stackalloc byte[Bytes], residual = job->Residual.At(output);
        if (residual != null)
            SegmentCopy.Copy(residual, job->OutputStride, others, PackedWeights.PanelColumns, rows, columns);
        float* biases = stackalloc float[PackedWeights.PanelColumns];
        new Span<float>(biases, PackedWeights.PanelColumns).Clear();
        if (job->Bias != null)
            new ReadOnlySpan<float>(job->Bias + column, columns).CopyTo(new Span<float>(biases, columns));
        Requantize(job, biases, column, TLanes.Count, sums, stride, rows, codes, PackedWeights.PanelColumns, residual == null ? null : others);
        SegmentCopy.Copy(codes, PackedWeights.PanelColumns, output, job->OutputStride, rows, columns);
    }

    /// <summary>Whole vectors. Without a bias 0 is added, which changes no bit of a sum. What is added to the codes is as far apart as they are; null if nothing is.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Requantize(GemmJob* job, float* biases, int column, int columns, float* sums, nint stride, int rows, byte* output, nint outputStride, byte* residual)
    {
        (int low, int high) = CodeRange.Of(job->Fused, job->Requantized);
        TFloat lowest = TLanes.Broadcast(low - job->Requantized.ZeroPoint), highest = TLanes.Broadcast(high - job->Requantized.ZeroPoint);
        TInt zeroPoint = TLanes.BroadcastInt(job->Requantized.ZeroPoint);
        TFloat activationScale = TLanes.Broadcast(job->Activation.Scale), outputScale = TLanes.Broadcast(job->Requantized.Scale);
        TFloat biasFactor = TLanes.Broadcast(job->IsPerTensor ? 1f / (job->Activation.Scale * job->ColumnScales[column]) : 1f);
        Unsafe.SkipInit(out ResidualLanes<TLanes, TFloat, TInt> residuals);
        if (residual != null)
            residuals = new ResidualLanes<TLanes, TFloat, TInt>(in job->Residual.Factors);
        for (int c = 0; c < columns; c += TLanes.Count)
        {
            TFloat scale = TLanes.Multiply(activationScale, TLanes.Load(job->ColumnScales + column + c)), multiplier = TLanes.Divide(scale, outputScale), bias = TLanes.Broadcast(0);
            if (biases != null)
                bias = job->IsPerTensor ? TLanes.Load(biases + c) : TLanes.Divide(TLanes.Load(biases + c), scale);
            for (int row = 0; row < rows; row++)
            {
                TFloat raw = TLanes.FusedMultiplyAdd(bias, biasFactor, TLanes.Load(sums + row * stride + c));
                TInt codes = Elementwise<TLanes, TFloat, TInt>.ToCodes(TLanes.Multiply(raw, multiplier), lowest, highest, zeroPoint);
                TLanes.StoreBytes(residual == null ? codes : residuals.Add(codes, residual + row * outputStride + c), output + row * outputStride + c);
            }
        }
    }
}
