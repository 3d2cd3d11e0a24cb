namespace TorchQuant.Kernels;

/// <summary>
/// uint8 activations convolved with packed int8 weights: exact int32 sums of (x - zx) * (w - zw), padded with real zero or as the shape says, requantized to uint8 as
/// <see cref="Int8Gemm.MultiplyToByte(ReadOnlySpan{byte}, int, QParams, PackedWeights, ReadOnlySpan{float}, QParams, FusedActivation, Span{byte}, int)"/> does.
/// The results are the same bits whatever the ISA and the number of threads.
/// </summary>
public static unsafe class Int8Convolution
{
    /// <summary>output[n, p, o] = requantize(sum over k, c of (input[n, p * stride + k * dilation - padding, c] - zx) * (weights[o, c, k] - zw[o])).</summary>
    /// <param name="input">Activation codes, channels last: [batch, inputSize..., InChannels].</param>
    /// <param name="batch">The number of images; 0 does nothing.</param>
    /// <param name="inputSize">The size of each spatial dimension.</param>
    /// <param name="inputParams">Scale and zero point of the input.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="bias">One real number for each output channel, or nothing.</param>
    /// <param name="outputParams">Scale and zero point of the output.</param>
    /// <param name="activation">What is applied to the results.</param>
    /// <param name="output">Receives the codes, channels last: [batch, OutputSize(inputSize)..., OutChannels]. It must not overlap the input.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length or size does not fit, or a parameter is out of its range.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvolution weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, batch, inputSize, inputParams, weights, bias, outputParams, activation, output, threads);

    /// <summary>The same, and codes added to the results before they are stored, to the codes of <see cref="Int8Add"/>: what ends a block of a residual network.</summary>
    /// <param name="input">Activation codes, channels last: [batch, inputSize..., InChannels].</param>
    /// <param name="batch">The number of images; 0 does nothing.</param>
    /// <param name="inputSize">The size of each spatial dimension.</param>
    /// <param name="inputParams">Scale and zero point of the input.</param>
    /// <param name="weights">The packed weights.</param>
    /// <param name="bias">One real number for each output channel, or nothing.</param>
    /// <param name="outputParams">Scale and zero point of the convolution, before the addition.</param>
    /// <param name="activation">What is applied to the convolution.</param>
    /// <param name="residual">What is added, of the output's shape and order, and the scale and zero point of the sum. It may be the input.</param>
    /// <param name="output">Receives the codes of the sum, channels last: [batch, OutputSize(inputSize)..., OutChannels]. It must not overlap the input.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">A length or size does not fit, a parameter is out of its range, or the residual overlaps the output.</exception>
    public static void Run(
        ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvolution weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        Residual residual, Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, batch, inputSize, inputParams, weights, bias, outputParams, activation, residual, output, threads);

    internal static void Run(
        Isa isa, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvolution weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        Residual residual, Span<byte> output, int threads)
    {
        residual.Check(output);
        fixed (byte* codes = residual.Codes, target = output)
            Run(isa, input, batch, inputSize, inputParams, weights, bias, outputParams, activation, ResidualSum.Of(in residual, codes, target, outputParams), output, threads);
    }

    internal static void Run(
        Isa isa, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvolution weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        Span<byte> output, int threads) =>
        Run(isa, input, batch, inputSize, inputParams, weights, bias, outputParams, activation, default(ResidualSum), output, threads);

    private static void Run(
        Isa isa, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvolution weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        ResidualSum residual, Span<byte> output, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ConvolutionShape shape = weights.Shape;
        ConvolutionArguments.CheckNumbers(batch, inputParams, bias.Length, shape.OutChannels, outputParams, activation, threads);
        Span<int> outputSize = stackalloc int[ConvolutionShape.MostDimensions];
        outputSize = outputSize[..shape.Dimensions];
        shape.OutputSize(inputSize, outputSize);
        ConvolutionArguments.CheckLength(input.Length, batch, inputSize, shape.InChannels, nameof(input));
        ConvolutionArguments.CheckLength(output.Length, batch, outputSize, shape.OutChannels, nameof(output));
        if (batch == 0)
            return;

        Window window = Window.Of(shape, inputSize, outputSize);
        fixed (byte* source = input, target = output)
        fixed (float* biases = bias)
        {
            ReadOnlySpan<PackedWeights> parts = weights.Parts;
            for (int part = 0; part < parts.Length; part++)
            {
                int segment = shape.InChannels / parts.Length, first = part * parts[part].OutFeatures;
                var job = new ConvolutionJob
                {
                    Input = source + part * segment,
                    InputEnd = source + input.Length,
                    Channels = shape.InChannels,
                    Segment = segment,
                    Runs = new KernelRuns(shape.Kernel[^1], shape.Dilation[^1], segment, mayPad: true),
                    Window = window,
                    Multiplier = shape.OutChannels / shape.InChannels,
                    Ones = weights.Ones is null ? null : weights.Ones.Panels,
                    Gemm = new GemmJob(parts[part], null, 0, checked((int)(batch * window.Outputs)), inputParams)
                    {
                        Kind = GemmOutput.Byte,
                        Output = target + first,
                        OutputStride = shape.OutChannels,
                        Bias = biases == null ? null : biases + first,
                        Fused = activation,
                        Requantized = outputParams,
                        Residual = residual,
                    },
                };
                Run(isa, &job, parts[part], shape, threads);
            }
        }

        GC.KeepAlive(weights);
    }

    private static void Run(Isa isa, ConvolutionJob* job, PackedWeights part, ConvolutionShape shape, int threads)
    {
        if (shape.IsDepthwise)
            isa.ConvolveDepthwise(job, threads);
        else if (shape.IsPointwise && job->Segment % PackedWeights.GroupDepth == 0)
            Int8Gemm.Run(isa, job->Gemm with { A = job->Input, Stride = job->Channels }, part, threads);
        else
            isa.Convolve(job, threads);
    }
}
