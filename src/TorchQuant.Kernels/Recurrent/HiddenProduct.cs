namespace TorchQuant.Kernels;

/// <summary>The product of the hidden states of one step.</summary>
internal static class HiddenProduct
{
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
