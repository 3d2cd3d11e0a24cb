namespace TorchQuant.Kernels;

/// <summary>
/// A linear layer with float16 weights and float activations: y = x W^T + b in float, W as stored. Weights are saturated to +-65504 as PyTorch does, then rounded to the nearest
/// half. Half the bytes of float, so one row of activations, which is bound by memory, takes half the time. The sum of an output goes through its inputs in order, each product
/// fused with its addition: the same bits for every vector width, every number of threads and every number of rows. Infinities and NaN in x follow IEEE arithmetic.
/// </summary>
public sealed unsafe class HalfLinear : PackedLinear
{
    private const float Largest = 65504;

    private readonly HalfPanels _panels;

    private HalfLinear(HalfPanels panels, float[]? bias)
        : base(panels.OutFeatures, bias) => _panels = panels;

    /// <inheritdoc/>
    public override int OutFeatures => _panels.OutFeatures;

    /// <inheritdoc/>
    public override int InFeatures => _panels.InFeatures;

    /// <inheritdoc/>
    public override long WeightBytes => (long)sizeof(ushort) * OutFeatures * InFeatures + (long)sizeof(float) * Bias.Length;

    /// <summary>Rounds weights to float16 and packs them.</summary>
    /// <param name="weights">Row-major [n, k] = [out, in]; beyond +-65504 they become +-65504, infinities too.</param>
    /// <param name="n">The number of outputs, at least 1.</param>
    /// <param name="k">The number of inputs, at least 1.</param>
    /// <param name="bias">One number for each output, or null for none.</param>
    /// <exception cref="ArgumentException">A length does not fit, or a weight is NaN.</exception>
    public static HalfLinear Pack(ReadOnlySpan<float> weights, int n, int k, float[]? bias)
    {
        Argument.IsAtLeast(n, 1, nameof(n));
        Argument.IsAtLeast(k, 1, nameof(k));
        Argument.HasLength(weights.Length, (long)n * k, nameof(weights), "n * k");
        var panels = new HalfPanels(n, k);
        for (int i = 0; i < weights.Length; i++)
        {
            if (float.IsNaN(weights[i]))
                throw new ArgumentException($"The weight of output {i / k}, input {i % k} is NaN; expected a number (train or load the layer again).", nameof(weights));
            panels[i / k, i % k] = BitConverter.HalfToUInt16Bits((Half)Math.Clamp(weights[i], -Largest, Largest));
        }

        return new HalfLinear(panels, bias);
    }

    /// <summary>Writes the weights back, row-major [OutFeatures, InFeatures], exactly as they are stored.</summary>
    /// <param name="weights">Receives OutFeatures * InFeatures weights.</param>
    /// <exception cref="ArgumentException"><paramref name="weights"/> has another length.</exception>
    public void Unpack(Span<Half> weights)
    {
        Argument.HasLength(weights.Length, (long)OutFeatures * InFeatures, nameof(weights), "OutFeatures * InFeatures");
        for (int i = 0; i < weights.Length; i++)
            weights[i] = BitConverter.UInt16BitsToHalf(_panels[i / InFeatures, i % InFeatures]);
    }

    /// <inheritdoc/>
    public override void Multiply(ReadOnlySpan<float> x, int m, Span<float> output, bool relu = false, bool accumulate = false, int threads = 1) =>
        Multiply(Isa.Current, x, m, output, relu, accumulate, threads);

    /// <summary>Nothing to prepare: no row depends on another.</summary>
    internal override LinearInput Prepare(ReadOnlySpan<float> x, int m, int threads) => default;

    internal override long EstimateNanoseconds(int m) => HalfJob.EstimateNanoseconds((long)OutFeatures * InFeatures, m);

    internal override void Multiply(ReadOnlySpan<float> x, LinearInput input, int firstRow, int rows, Span<float> output, int threads) =>
        Multiply(x.Slice(firstRow * InFeatures, rows * InFeatures), rows, output, threads: threads);

    internal void Multiply(Isa isa, ReadOnlySpan<float> x, int m, Span<float> output, bool relu, bool accumulate, int threads)
    {
        CheckMultiply(x.Length, m, output.Length, threads);
        if (m == 0)
            return;
        fixed (float* source = x, target = output, bias = Bias)
        {
            var job = new HalfJob(_panels) { X = source, M = m, Output = target, Bias = bias, Relu = relu, Accumulate = accumulate };
            isa.Run(new HalfWork(job, threads));
        }

        GC.KeepAlive(_panels);
    }
}
