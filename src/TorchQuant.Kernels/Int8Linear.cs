using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// Dynamic quantization: every call finds the range of x, chooses its scale and zero point (<see cref="QParamsChooser.ForDynamic"/>), quantizes it to 8 bits
/// (xq = clamp(round_half_even(fma(x, 1 / sx, zx)), 0, 255), libtorch's rule for dynamic activations, which differs from <see cref="Quantizer"/>'s next to ties), multiplies in integers and returns float: y = fma(float(sum of (xq - zx) * (wq - zw)), sx * sw, bias): the bits of libtorch's linear_dynamic.
/// </summary>
/// <param name="weights">The packed weights, per tensor or per channel.</param>
/// <param name="bias">One number for each output, or null.</param>
/// <param name="reduceRange">Activations in 7 bits, as PyTorch's fbgemm and x86 backends do; our kernels never saturate and do not need it.</param>
public sealed unsafe class Int8Linear(PackedWeights weights, float[]? bias, bool reduceRange)
    : PackedLinear((weights ?? throw new ArgumentNullException(nameof(weights))).OutFeatures, bias)
{
    /// <summary>The packed weights.</summary>
    public PackedWeights Weights { get; } = weights;

    /// <summary>Whether activations are quantized to 7 bits.</summary>
    public bool ReduceRange { get; } = reduceRange;

    /// <inheritdoc/>
    public override int OutFeatures => Weights.OutFeatures;

    /// <inheritdoc/>
    public override int InFeatures => Weights.InFeatures;

    /// <inheritdoc/>
    public override long WeightBytes =>
        (long)OutFeatures * InFeatures + (long)sizeof(float) * Weights.Scales.Length + (long)sizeof(int) * Weights.ZeroPoints.Length + (long)sizeof(float) * Bias.Length;

    /// <inheritdoc/>
    public override void Multiply(ReadOnlySpan<float> x, int m, Span<float> output, bool relu = false, bool accumulate = false, int threads = 1) =>
        Multiply(Isa.Current, x, m, output, relu, accumulate, threads);

    internal void Multiply(Isa isa, ReadOnlySpan<float> x, int m, Span<float> output, bool relu, bool accumulate, int threads)
    {
        CheckMultiply(x.Length, m, output.Length, threads);
        if (m == 0)
            return;

        LinearInput input = Prepare(isa, x, m, threads);
        Multiply(isa, input, 0, m, Int8Gemm.RowStride(m, InFeatures), output, relu, accumulate, threads);
        input.Return();
    }

    internal override long EstimateNanoseconds(int m) => GemmJob.EstimateNanoseconds((long)OutFeatures * InFeatures, m);

    internal override LinearInput Prepare(ReadOnlySpan<float> x, int m, int threads) => Prepare(Isa.Current, x, m, threads);

    internal override void Multiply(ReadOnlySpan<float> x, LinearInput input, int firstRow, int rows, Span<float> output, int threads) =>
        Multiply(Isa.Current, input, firstRow, rows, Int8Gemm.RowStride(x.Length / InFeatures, InFeatures), output, relu: false, accumulate: false, threads);

    private void Multiply(Isa isa, LinearInput input, int firstRow, int rows, int stride, Span<float> output, bool relu, bool accumulate, int threads)
    {
        fixed (float* target = output, biasPointer = Bias)
        fixed (byte* codes = input.Codes)
        {
            var job = new GemmJob(Weights, codes + (nint)firstRow * stride, stride, rows, input.Params) { Kind = GemmOutput.Float, Output = target, Bias = biasPointer, Relu = relu, Accumulate = accumulate };
            Int8Gemm.Run(isa, job, Weights, threads);
        }
    }

    /// <summary>The weights if <see cref="MultiplyGates"/> can divide them among threads: the columns of each gate are whole panels, and no sums of activations are needed. Else null.</summary>
    internal static Int8Linear? WithDividedGates(PackedLinear weights, int gates, int threads) =>
        threads > 1 && weights is Int8Linear { Weights.IsSymmetric: true } linear && linear.OutFeatures % (gates * PackedWeights.PanelColumns) == 0 ? linear : null;

    /// <summary>output = rows [firstRow, firstRow + rows) of x W^T + bias, or output += that, for weights of gates; then the step that follows: <see cref="GateDriver{TKernel, TLanes, TFloat, TInt}"/>.</summary>
    /// <param name="isa">The kernels.</param>
    /// <param name="input">All activations.</param>
    /// <param name="inputRows">How many rows they are.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="output">Results, row-major [rows, OutFeatures].</param>
    /// <param name="accumulate">Whether to add to what <paramref name="output"/> holds.</param>
    /// <param name="job">The gates and the step; its product is set here.</param>
    /// <param name="threads">How many threads may be used.</param>
    internal void MultiplyGates(Isa isa, LinearInput input, int inputRows, int firstRow, int rows, Span<float> output, bool accumulate, GateJob job, int threads)
    {
        int stride = Int8Gemm.RowStride(inputRows, InFeatures);
        fixed (float* target = output, biasPointer = Bias)
        fixed (byte* codes = input.Codes)
        {
            job.Gemm = new GemmJob(Weights, codes + (nint)firstRow * stride, stride, rows, input.Params)
            {
                Kind = GemmOutput.Float,
                Output = target,
                Bias = biasPointer,
                Accumulate = accumulate,
                IsBackwards = Weights.TakeTurn(),
            };
            isa.MultiplyGates(&job, threads);
        }

        GC.KeepAlive(Weights);
    }

    private LinearInput Prepare(Isa isa, ReadOnlySpan<float> x, int m, int threads)
    {
        int stride = Int8Gemm.RowStride(m, InFeatures);
        byte[] rented = ArrayPool<byte>.Shared.Rent(checked(m * stride));
        fixed (float* source = x)
        fixed (byte* codes = rented)
            return new LinearInput(rented, m == 0 ? new QParams(1, 0) : DynamicActivations.Quantize(isa, source, m, InFeatures, codes, stride, ReduceRange, threads));
    }
}
