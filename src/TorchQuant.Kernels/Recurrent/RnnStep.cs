using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>One step of a plain recurrent cell with packed weights: h' = f((W_hh h + b_hh) + (W_ih x + b_ih)). Thread-safe; nothing is allocated in the steady state.</summary>
public static class RnnStep
{
    /// <summary>Runs one step.</summary>
    /// <param name="x">[batch, I].</param>
    /// <param name="batch">The number of rows; 0 does nothing.</param>
    /// <param name="inputWeights">I -> H, with the bias b_ih.</param>
    /// <param name="hiddenWeights">H -> H, with the bias b_hh.</param>
    /// <param name="h">[batch, H]. In: the hidden state. Out: the new one.</param>
    /// <param name="relu">f: max(0, a) if set, else tanh(a).</param>
    /// <param name="threads">How many threads may be used, at least 1. The results do not depend on it.</param>
    /// <exception cref="ArgumentException">A size does not fit, or x or the state is not finite where it is quantized.</exception>
    public static void Run(ReadOnlySpan<float> x, int batch, PackedLinear inputWeights, PackedLinear hiddenWeights, Span<float> h, bool relu, int threads = 1) =>
        Run(Isa.Current, x, batch, inputWeights, hiddenWeights, h, relu, threads);

    internal static unsafe void Run(Isa isa, ReadOnlySpan<float> x, int batch, PackedLinear inputWeights, PackedLinear hiddenWeights, Span<float> h, bool relu, int threads)
    {
        int hidden = RecurrentShape.CheckWeights(inputWeights, hiddenWeights, gates: 1);
        Argument.IsAtLeast(batch, 0, nameof(batch));
        Argument.HasLength(h.Length, (long)batch * hidden, nameof(h), "batch x hidden units");
        float[] rented = ArrayPool<float>.Shared.Rent(h.Length);
        Span<float> sums = rented.AsSpan(0, h.Length);
        inputWeights.Multiply(x, batch, sums, threads: threads);
        // ReLU is the last thing that a product does; tanh needs a pass of its own.
        HiddenProduct.Multiply(hiddenWeights, h, batch, sums, relu, accumulate: true, threads, step: 0);
        if (relu)
            sums.CopyTo(h);
        else
            Activations.Tanh(isa, sums, h);
        ArrayPool<float>.Shared.Return(rented);
    }
}
