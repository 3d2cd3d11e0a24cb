namespace TorchQuant.Kernels;

/// <summary>The product of the hidden states of one step, and the step.</summary>
internal static class HiddenProduct
{
    /// <summary>gates = h W^T + b, or gates += that, then the cell's step, which reads them: in one run where threads can share the hidden units, else in two.</summary>
    /// <param name="isa">The kernels.</param>
    /// <param name="weights">The hidden weights.</param>
    /// <param name="h">[batch, H].</param>
    /// <param name="batch">The rows of this step.</param>
    /// <param name="gates">[batch, gates * H].</param>
    /// <param name="accumulate">Whether to add to what <paramref name="gates"/> holds.</param>
    /// <param name="cell">The step.</param>
    /// <param name="threads">How many threads may be used.</param>
    /// <param name="step">The number of the step, for messages.</param>
    public static void Step<TCell>(Isa isa, PackedLinear weights, ReadOnlySpan<float> h, int batch, Span<float> gates, bool accumulate, TCell cell, int threads, int step)
        where TCell : unmanaged, IGateCell
    {
        if (Int8Linear.WithDividedGates(weights, TCell.Gates, threads) is not { } byUnits)
        {
            Multiply(weights, h, batch, gates, relu: false, accumulate, threads, step);
            isa.Run(new RowLoop<TCell>(cell, batch, threads, weights.InFeatures * GateJob.NanosecondsPerUnit));
            return;
        }

        LinearInput codes = Prepare(byUnits, h, batch, threads, step);
        byUnits.MultiplyGates(isa, codes, batch, 0, batch, gates, accumulate, cell.AfterProduct(), threads);
        codes.Return();
    }

    /// <summary>output = h W^T + b, or output += that; an error names the hidden state, which the caller gave, and not the x of a linear layer, which it did not.</summary>
    public static void Multiply(PackedLinear weights, ReadOnlySpan<float> h, int batch, Span<float> output, bool relu, bool accumulate, int threads, int step)
    {
        try
        {
            weights.Multiply(h, batch, output, relu, accumulate, threads);
        }
        catch (ArgumentException error)
        {
            throw Refusal(error, step, nameof(h));
        }
    }

    /// <summary>The hidden states of a step as codes.</summary>
    public static LinearInput Prepare(PackedLinear weights, ReadOnlySpan<float> h, int batch, int threads, int step)
    {
        try
        {
            return weights.Prepare(h, batch, threads);
        }
        catch (ArgumentException error)
        {
            throw Refusal(error, step, nameof(h));
        }
    }

    /// <summary>Scale and zero point of the hidden states of a step.</summary>
    public static QParams Choose((float Min, float Max) range, bool reduceRange, int step)
    {
        try
        {
            return DynamicActivations.Choose(range, reduceRange, "h");
        }
        catch (ArgumentException error)
        {
            throw Refusal(error, step, "h");
        }
    }

    private static ArgumentException Refusal(ArgumentException error, int step, string name) =>
        new($"The hidden state before step {step} cannot be multiplied: {error.Message}", name, error);
}
