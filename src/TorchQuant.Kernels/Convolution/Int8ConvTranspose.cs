namespace TorchQuant.Kernels;

/// <summary>
/// Transposed convolution of uint8 activations with packed int8 weights: exact int32 sums, requantized to uint8 as <see cref="Int8Convolution"/> does. Every output gathers
/// the inputs that reach it, so no two threads add to one place, and the results are the same bits whatever the ISA and the number of threads.
/// </summary>
public static unsafe class Int8ConvTranspose
{
    /// <summary>output[n, p, o] = requantize(sum over i, k, c with i * stride + k * dilation - padding = p of (input[n, i, c] - zx) * (weights[c, o, k] - zw[o])).</summary>
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
        ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvTranspose weights, ReadOnlySpan<float> bias, QParams outputParams, FusedActivation activation,
        Span<byte> output, int threads = 1) =>
        Run(Isa.Current, input, batch, inputSize, inputParams, weights, bias, outputParams, activation, output, threads);

    internal static void Run(
        Isa isa, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, PackedConvTranspose weights, ReadOnlySpan<float> bias, QParams outputParams,
        FusedActivation activation, Span<byte> output, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ConvTransposeShape shape = weights.Shape;
        ConvolutionArguments.CheckNumbers(batch, inputParams, bias.Length, shape.OutChannels, outputParams, activation, threads);
        Span<int> outputSize = stackalloc int[ConvolutionShape.MostDimensions];
        outputSize = outputSize[..shape.Dimensions];
        shape.OutputSize(inputSize, outputSize);
        ConvolutionArguments.CheckLength(input.Length, batch, inputSize, shape.InChannels, nameof(input));
        ConvolutionArguments.CheckLength(output.Length, batch, outputSize, shape.OutChannels, nameof(output));
        if (batch == 0)
            return;

        fixed (byte* source = input, target = output)
        fixed (float* biases = bias)
        {
            // The output and what becomes of the sums are the same in all phases.
            var gemm = new GemmJob
            {
                Activation = inputParams,
                Kind = GemmOutput.Byte,
                Output = target,
                OutputStride = shape.OutChannels,
                Bias = biases,
                Fused = activation,
                Requantized = outputParams,
            };
            for (int phase = 0; phase < shape.Phases; phase++)
            {
                new TransposedPhases(shape, phase).Place(inputSize, outputSize, out Window window, out OutputGrid grid);
                int rows = checked((int)(batch * window.Outputs));
                var job = new ConvolutionJob { Input = source, InputEnd = source + input.Length, Channels = shape.InChannels, Window = window, Grid = grid, Gemm = gemm with { M = rows } };
                if (rows > 0)
                    RunParts(isa, job, weights, phase, threads);
            }
        }

        GC.KeepAlive(weights);
    }

    private static void RunParts(Isa isa, ConvolutionJob job, PackedConvTranspose weights, int phase, int threads)
    {
        ConvolutionJob whole = job;
        for (int part = 0; part < weights.PartCount; part++)
        {
            PackedWeights product = weights.Product(phase, part);
            int first = part * product.OutFeatures, elements = whole.Window.Depth.Kernel * whole.Window.Height.Kernel * whole.Window.Width.Kernel;
            job.Segment = product.InFeatures / elements;
            job.Runs = new KernelRuns(whole.Window.Width.Kernel, whole.Window.Width.Dilation, job.Segment, mayPad: false);
            job.Input = whole.Input + part * (weights.Shape.InChannels / weights.PartCount);
            job.Gemm.SetWeights(product);
            job.Gemm.Output = (byte*)whole.Gemm.Output + first;
            job.Gemm.Bias = whole.Gemm.Bias == null ? null : whole.Gemm.Bias + first;
            isa.Convolve(&job, threads);
        }
    }
}
