using System.Buffers;
using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// One GRU layer in one direction with packed weights, PyTorch's dynamic numerics: the input product of the whole sequence at once (so one activation range over all of it),
/// the hidden product step by step over the rows of that step. With u = W_hh h + b_hh and v = W_ih x + b_ih, their thirds the gates r, z, n:
/// r = sigmoid(u_r + v_r); z = sigmoid(u_z + v_z); n = tanh(v_n + r u_n); h' = (h - n) z + n. Thread-safe; nothing is allocated in the steady state.
/// </summary>
public static class GruLayer
{
    /// <summary>Runs the layer over a sequence.</summary>
    /// <param name="x">[rows, I]: the batches of the steps one after the other; rows is the sum of <paramref name="batchSizes"/>.</param>
    /// <param name="batchSizes">[T]: the sequences that are still running at each step, not increasing. All equal: an ordinary [T, B, I].</param>
    /// <param name="inputWeights">I -> 3 H, rows r, z, n, with the bias b_ih.</param>
    /// <param name="hiddenWeights">H -> 3 H, rows r, z, n, with the bias b_hh.</param>
    /// <param name="h">[B, H], B the first batch size. In: the initial hidden state. Out: that after the last step of each sequence.</param>
    /// <param name="y">Receives the hidden state of every row: row r at r * yStride.</param>
    /// <param name="yStride">Floats from one row of y to the next, at least H; 2 H leaves room for the other direction.</param>
    /// <param name="reverse">From the last step to the first; a sequence that is shorter starts, with its initial state, at its own end.</param>
    /// <param name="threads">How many threads may be used, at least 1. The results do not depend on it.</param>
    /// <exception cref="ArgumentException">A size does not fit, or x or a hidden state is not finite where it is quantized; in the latter case the state and y are half done.</exception>
    public static void Run(ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, PackedLinear inputWeights, PackedLinear hiddenWeights,
        Span<float> h, Span<float> y, int yStride, bool reverse = false, int threads = 1) =>
        Run(Isa.Current, x, batchSizes, inputWeights, hiddenWeights, h, y, yStride, reverse, threads);

    internal static unsafe void Run(Isa isa, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, PackedLinear inputWeights, PackedLinear hiddenWeights,
        Span<float> h, Span<float> y, int yStride, bool reverse, int threads)
    {
        RecurrentShape shape = RecurrentShape.Check(x.Length, batchSizes, inputWeights, hiddenWeights, GruCell.Gates, h.Length, y.Length, yStride, threads);
        int hidden = shape.Hidden, columns = GruCell.Gates * hidden;
        // The hidden part of n is multiplied by r before it meets the input part, so both products are kept apart. Threads that write neighbouring columns share no line.
        float[] rented = ArrayPool<float>.Shared.Rent(checked(h.Length * GruCell.Gates + CacheLine.Bytes / sizeof(float)));
        var product = new InputProduct(inputWeights, hiddenWeights, x, batchSizes, shape.Rows, reverse, threads, GruCell.Gates);
        fixed (float* rentedPointer = rented, hPointer = h, yPointer = y)
        {
            var hiddenPointer = (float*)CacheLine.Align(rentedPointer);
            int end = shape.Rows, start = 0;
            for (int i = 0; i < batchSizes.Length; i++)
            {
                int step = reverse ? batchSizes.Length - 1 - i : i, batch = batchSizes[step];
                int first = reverse ? end - batch : start;
                var hiddenGates = new Span<float>(hiddenPointer, batch * columns);
                fixed (float* inputPointer = product.Of(step, first))
                {
                    var cell = new GruCell(inputPointer, hiddenPointer, hidden, hPointer, yPointer + (nint)first * yStride, yStride);
                    HiddenProduct.Step(isa, hiddenWeights, h[..(batch * hidden)], batch, hiddenGates, accumulate: false, cell, threads, step);
                }

                start += batch;
                end -= batch;
            }
        }

        product.Return();
        ArrayPool<float>.Shared.Return(rented);
    }
}

/// <summary>The step of a GRU after its products: both [batch, 3 H] and the state [batch, H] give the new state, in one pass.</summary>
internal readonly unsafe struct GruCell(float* inputProduct, float* hiddenProduct, nint hidden, float* h, float* y, nint yStride, nint first, nint end) : IGateCell
{
    /// <inheritdoc/>
    public static int Gates => 3;

    public GruCell(float* inputProduct, float* hiddenProduct, nint hidden, float* h, float* y, nint yStride)
        : this(inputProduct, hiddenProduct, hidden, h, y, yStride, 0, hidden)
    {
    }

    /// <inheritdoc/>
    public GateJob AfterProduct() => new(this);

    /// <summary>The step for some of the hidden units.</summary>
    public GruCell Part(nint from, nint to) => new(inputProduct, hiddenProduct, hidden, h, y, yStride, from, to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        nint gates = row * Gates * hidden + first;
        var units = new Units(inputProduct + gates, hiddenProduct + gates, hidden, h + row * hidden + first, y + row * yStride + first);
        new LaneLoop<Units>(units, end - first).Run<TLanes, TFloat, TInt>();
    }

    private readonly struct Units(float* v, float* u, nint hidden, float* h, float* y) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint unit) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat reset = ActivationLanes<TLanes, TFloat, TInt>.Sigmoid(TLanes.Add(TLanes.Load(u + unit), TLanes.Load(v + unit)));
            TFloat update = ActivationLanes<TLanes, TFloat, TInt>.Sigmoid(TLanes.Add(TLanes.Load(u + hidden + unit), TLanes.Load(v + hidden + unit)));
            TFloat gated = TLanes.Multiply(TLanes.Load(u + 2 * hidden + unit), reset);
            TFloat candidate = ActivationLanes<TLanes, TFloat, TInt>.Tanh(TLanes.Add(TLanes.Load(v + 2 * hidden + unit), gated));
            TFloat state = TLanes.Add(TLanes.Multiply(TLanes.Subtract(TLanes.Load(h + unit), candidate), update), candidate);
            TLanes.Store(state, h + unit);
            TLanes.Store(state, y + unit);
        }
    }
}
