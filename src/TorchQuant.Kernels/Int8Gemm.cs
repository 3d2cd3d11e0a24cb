using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// uint8 activations times packed int8 weights: sum[m, n] = sum over k of (a[m, k] - za) * (w[n, k] - zw[n]), exact in int32 on every ISA, then as asked for int32,
/// float or uint8. The results are the same bits whatever the ISA and the number of threads.
/// </summary>
public static unsafe class Int8Gemm
{
    /// <summary>So many rows a multiple of a page apart do not fit the set of the L1 cache that they share, and so many outputs pay for moving them.</summary>
    private const int LeastRowsToMove = 15, LeastOutputsToMove = 512;

    /// <summary>The exact sums.</summary>
    /// <param name="a">Activation codes, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="aZeroPoint">The zero point of the activations, 0..255.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="output">Receives the sums, row-major [m, OutFeatures].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a parameter is out of its range.</exception>
    public static void MultiplyToInt32(ReadOnlySpan<byte> a, int m, int aZeroPoint, PackedWeights weights, Span<int> output, int threads = 1) =>
        MultiplyToInt32(Isa.Current, a, m, aZeroPoint, weights, output, threads);

    /// <summary>output = fma(float(sum), sa * sw[n], bias[n]), or output += that; then max(0, output) if asked for.</summary>
    /// <param name="a">Activation codes, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="aParams">Scale and zero point of the activations.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="bias">One number for each output, or nothing.</param>
    /// <param name="output">Results, row-major [m, OutFeatures].</param>
    /// <param name="relu">Whether negative results become 0; applied last.</param>
    /// <param name="accumulate">Whether to add to what <paramref name="output"/> holds.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a parameter is out of its range.</exception>
    public static void MultiplyToFloat(ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, Span<float> output, bool relu = false, bool accumulate = false, int threads = 1) =>
        MultiplyToFloat(Isa.Current, a, m, aParams, weights, bias, output, relu, accumulate, threads);

    /// <summary>
    /// output = clamp(round_half_even((float(sum) + bias[n] / (sa * sw[n])) * (sa * sw[n] / so)) + zo, low, high) with low = zo if ReLU is fused, else 0: FBGEMM's
    /// requantization with a float bias, every operation in float32; for one scale per tensor fma(bias[n], 1 / (sa * sw), float(sum)) takes the place of sum and quotient, as FBGEMM does.
    /// high is 255, with ReLU6 the code of 6. Hardswish: y = (float(sum) + bias[n] / (sa * sw[n])) * (sa * sw[n]), then
    /// output = clamp(round_half_even((y * min(max(y + 3, 0), 6) / 6) * (1 / so)) + zo, 0, 255). A NaN gives zo, and what is beyond int32 saturates.
    /// </summary>
    /// <param name="a">Activation codes, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="aParams">Scale and zero point of the activations.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="bias">One real number for each output, or nothing.</param>
    /// <param name="outParams">Scale so and zero point zo of the output.</param>
    /// <param name="activation">What is applied to the results.</param>
    /// <param name="output">Receives the codes, row-major [m, OutFeatures].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a parameter is out of its range.</exception>
    public static void MultiplyToByte(ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, QParams outParams, FusedActivation activation, Span<byte> output, int threads = 1) =>
        MultiplyToByte(Isa.Current, a, m, aParams, weights, bias, outParams, activation, output, threads);

    /// <summary>As <see cref="MultiplyToByte(ReadOnlySpan{byte}, int, QParams, PackedWeights, ReadOnlySpan{float}, QParams, FusedActivation, Span{byte}, int)"/>, and codes added to the results before they are stored, to the codes of <see cref="Int8Add"/>.</summary>
    /// <param name="a">Activation codes, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="aParams">Scale and zero point of the activations.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="bias">One real number for each output, or nothing.</param>
    /// <param name="outParams">Scale and zero point of the product, before the addition.</param>
    /// <param name="activation">What is applied to the product.</param>
    /// <param name="residual">What is added, [m, OutFeatures], and the scale and zero point of the sum.</param>
    /// <param name="output">Receives the codes of the sum, row-major [m, OutFeatures].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length does not fit, a parameter is out of its range, or the residual overlaps the output.</exception>
    public static void MultiplyToByte(
        ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, QParams outParams, FusedActivation activation, Residual residual, Span<byte> output, int threads = 1) =>
        MultiplyToByte(Isa.Current, a, m, aParams, weights, bias, outParams, activation, residual, output, threads);

    internal static void MultiplyToInt32(Isa isa, ReadOnlySpan<byte> a, int m, int aZeroPoint, PackedWeights weights, Span<int> output, int threads)
    {
        Check(a.Length, m, new QParams(1, aZeroPoint), weights, 0, output.Length, threads);
        fixed (int* target = output)
            Run(isa, a, new GemmJob(weights, null, 0, m, new QParams(1, aZeroPoint)) { Kind = GemmOutput.Int32, Output = target }, weights, threads);
    }

    internal static void MultiplyToFloat(Isa isa, ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, Span<float> output, bool relu, bool accumulate, int threads)
    {
        Check(a.Length, m, aParams, weights, bias.Length, output.Length, threads);
        fixed (float* biasPointer = bias, target = output)
            Run(isa, a, new GemmJob(weights, null, 0, m, aParams) { Kind = GemmOutput.Float, Output = target, Bias = biasPointer, Relu = relu, Accumulate = accumulate }, weights, threads);
    }

    internal static void MultiplyToByte(Isa isa, ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, QParams outParams, FusedActivation activation, Span<byte> output, int threads)
    {
        CheckToByte(a.Length, m, aParams, weights, bias.Length, outParams, activation, output.Length, threads);
        fixed (float* biasPointer = bias)
        fixed (byte* target = output)
            Run(isa, a, new GemmJob(weights, null, 0, m, aParams) { Kind = GemmOutput.Byte, Output = target, Bias = biasPointer, Fused = activation, Requantized = outParams }, weights, threads);
    }

    internal static void MultiplyToByte(
        Isa isa, ReadOnlySpan<byte> a, int m, QParams aParams, PackedWeights weights, ReadOnlySpan<float> bias, QParams outParams, FusedActivation activation, Residual residual, Span<byte> output, int threads)
    {
        CheckToByte(a.Length, m, aParams, weights, bias.Length, outParams, activation, output.Length, threads);
        residual.Check(output);
        fixed (float* biasPointer = bias)
        fixed (byte* target = output, added = residual.Codes)
        {
            var job = new GemmJob(weights, null, 0, m, aParams) { Kind = GemmOutput.Byte, Output = target, Bias = biasPointer, Fused = activation, Requantized = outParams };
            job.Residual = ResidualSum.Of(in residual, added, target, outParams);
            Run(isa, a, job, weights, threads);
        }
    }

    private static void CheckToByte(int aLength, int m, QParams aParams, PackedWeights weights, int biasLength, QParams outParams, FusedActivation activation, int outputLength, int threads)
    {
        Check(aLength, m, aParams, weights, biasLength, outputLength, threads);
        Argument.IsScale(outParams.Scale, nameof(outParams));
        Argument.IsZeroPoint(outParams.ZeroPoint, byte.MinValue, byte.MaxValue, nameof(outParams));
        Argument.IsCodeRange(outParams.Lowest, outParams.Highest, byte.MinValue, byte.MaxValue);
        Argument.IsDefined(activation, nameof(activation));
    }

    /// <summary>Bytes from one row of activations to the next in a buffer of our own: kernels read whole groups of four.</summary>
    internal static int RowStride(int m, int k)
    {
        int stride = (k + PackedWeights.GroupDepth - 1) / PackedWeights.GroupDepth * PackedWeights.GroupDepth;
        // Rows a multiple of a page apart share one set of the L1 cache.
        return m > 1 && stride % 4096 == 0 ? stride + 64 : stride;
    }

    /// <summary>Runs a job whose activations may be read up to a multiple of four in every row.</summary>
    internal static void Run(Isa isa, GemmJob job, PackedWeights weights, int threads)
    {
        int[]? rented = null;
        if (job.ColumnZeroPoints != null)
        {
            rented = ArrayPool<int>.Shared.Rent(job.M);
            for (int row = 0; row < job.M; row++)
                rented[row] = isa.RowSum(job.A + row * job.Stride, weights.InFeatures);
        }

        fixed (int* sums = rented)
        {
            job.RowSums = sums;
            job.IsBackwards = weights.TakeTurn();
            isa.Multiply(&job, threads);
        }

        if (rented is not null)
            ArrayPool<int>.Shared.Return(rented);
        GC.KeepAlive(weights);
    }

    private static void Run(Isa isa, ReadOnlySpan<byte> a, GemmJob job, PackedWeights weights, int threads)
    {
        int k = weights.InFeatures;
        if (job.M == 0)
            return;
        int stride = RowStride(job.M, k);
        bool shareASet = job.M >= LeastRowsToMove && job.N >= LeastOutputsToMove;
        if (k % PackedWeights.GroupDepth == 0 && (stride == k || !shareASet))
        {
            fixed (byte* codes = a)
            {
                job.A = codes;
                job.Stride = k;
                Run(isa, job, weights, threads);
            }

            return;
        }

        // The last group of a row would read past it, and in the last row past the span; or the rows of a tile would not fit the set of the cache that they share.
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(job.M * stride));
        for (int row = 0; row < job.M; row++)
            a.Slice(row * k, k).CopyTo(rented.AsSpan(row * stride));
        fixed (byte* codes = rented)
        {
            job.A = codes;
            job.Stride = stride;
            Run(isa, job, weights, threads);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private static void Check(int aLength, int m, QParams aParams, PackedWeights weights, int biasLength, int outputLength, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Argument.IsAtLeast(m, 0, nameof(m));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.HasLength(aLength, (long)m * weights.InFeatures, "a", "m * InFeatures");
        Argument.HasLength(outputLength, (long)m * weights.OutFeatures, "output", "m * OutFeatures");
        if (biasLength != 0)
            Argument.HasLength(biasLength, weights.OutFeatures, "bias", "nothing, or one for each output");
        Argument.IsScale(aParams.Scale, nameof(aParams));
        Argument.IsZeroPoint(aParams.ZeroPoint, byte.MinValue, byte.MaxValue, nameof(aParams));
    }
}
