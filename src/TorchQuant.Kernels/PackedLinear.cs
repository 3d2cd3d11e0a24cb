namespace TorchQuant.Kernels;

/// <summary>y = x W^T + b with packed weights of some precision: what linear and recurrent layers hold. Thread-safe; nothing is allocated in the steady state.</summary>
public abstract class PackedLinear
{
    private readonly float[] _bias;

    /// <summary>Keeps a copy of the bias.</summary>
    /// <param name="outFeatures">N: the number of outputs.</param>
    /// <param name="bias">One number for each output, or null for none.</param>
    /// <exception cref="ArgumentException">The bias has another length.</exception>
    protected PackedLinear(int outFeatures, float[]? bias)
    {
        if (bias is not null)
            Argument.HasLength(bias.Length, outFeatures, nameof(bias), "one for each output");
        _bias = bias is null ? [] : [.. bias];
    }

    /// <summary>N: the number of outputs.</summary>
    public abstract int OutFeatures { get; }

    /// <summary>K: the number of inputs.</summary>
    public abstract int InFeatures { get; }

    /// <summary>Bytes of weights, scales, zero points and bias as a state dictionary stores them.</summary>
    public abstract long WeightBytes { get; }

    /// <summary>One number for each output, or nothing.</summary>
    public ReadOnlySpan<float> Bias => _bias;

    /// <summary>output = x W^T + bias, or output += x W^T + bias; then max(0, output) if asked for.</summary>
    /// <param name="x">Activations, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows; 0 does nothing.</param>
    /// <param name="output">Results, row-major [m, OutFeatures].</param>
    /// <param name="relu">Whether negative results become 0; applied last.</param>
    /// <param name="accumulate">Whether to add to what <paramref name="output"/> holds.</param>
    /// <param name="threads">How many threads may be used, at least 1. The results do not depend on it.</param>
    /// <exception cref="ArgumentException">A length does not fit <paramref name="m"/>, or the activations cannot be quantized.</exception>
    public abstract void Multiply(ReadOnlySpan<float> x, int m, Span<float> output, bool relu = false, bool accumulate = false, int threads = 1);

    /// <summary>Prepares activations whose rows are then multiplied a few at a time.</summary>
    /// <param name="x">Activations, row-major [m, InFeatures].</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    /// <exception cref="ArgumentException">The activations cannot be quantized.</exception>
    internal abstract LinearInput Prepare(ReadOnlySpan<float> x, int m, int threads);

    /// <summary>output = rows [firstRow, firstRow + rows) of x W^T + bias.</summary>
    /// <param name="x">All activations.</param>
    /// <param name="input">What <see cref="Prepare"/> gave for them.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="output">Results, row-major [rows, OutFeatures].</param>
    /// <param name="threads">How many threads may be used, at least 1.</param>
    internal abstract void Multiply(ReadOnlySpan<float> x, LinearInput input, int firstRow, int rows, Span<float> output, int threads);

    /// <summary>What one core needs for so many rows, roughly.</summary>
    internal abstract long EstimateNanoseconds(int m);

    /// <summary>Refuses activations and outputs that do not fit the layer.</summary>
    /// <param name="xLength">Elements of x.</param>
    /// <param name="m">The number of rows.</param>
    /// <param name="outputLength">Elements of the output.</param>
    /// <param name="threads">How many threads may be used.</param>
    /// <exception cref="ArgumentException">One of them does not fit.</exception>
    protected void CheckMultiply(int xLength, int m, int outputLength, int threads)
    {
        Argument.IsAtLeast(m, 0, nameof(m));
        Argument.IsAtLeast(threads, 1, nameof(threads));
        Argument.HasLength(xLength, (long)m * InFeatures, "x", "m * InFeatures");
        Argument.HasLength(outputLength, (long)m * OutFeatures, "output", "m * OutFeatures");
    }
}
