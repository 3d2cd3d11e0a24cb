using System.Runtime.CompilerServices;

namespace TorchQuant.Kernels;

/// <summary>
/// One LSTM layer in one direction with packed weights, PyTorch's dynamic numerics: the input product of the whole sequence at once (so one activation range over all of it),
/// the hidden product step by step over the rows of that step. With a = (W_hh h + b_hh) + (W_ih x + b_ih), its quarters the gates i, f, g, o:
/// c' = sigmoid(f) c + sigmoid(i) tanh(g); h' = sigmoid(o) tanh(c'). Thread-safe; nothing is allocated in the steady state.
/// </summary>
public static class LstmLayer
{
    /// <summary>Runs the layer over a sequence.</summary>
    /// <param name="x">[rows, I]: the batches of the steps one after the other; rows is the sum of <paramref name="batchSizes"/>.</param>
    /// <param name="batchSizes">[T]: the sequences that are still running at each step, not increasing. All equal: an ordinary [T, B, I].</param>
    /// <param name="inputWeights">I -> 4 H, rows i, f, g, o, with the bias b_ih.</param>
    /// <param name="hiddenWeights">H -> 4 H, rows i, f, g, o, with the bias b_hh.</param>
    /// <param name="h">[B, H], B the first batch size. In: the initial hidden state. Out: that after the last step of each sequence.</param>
    /// <param name="c">[B, H], the cell state, likewise.</param>
    /// <param name="y">Receives the hidden state of every row: row r at r * yStride.</param>
    /// <param name="yStride">Floats from one row of y to the next, at least H; 2 H leaves room for the other direction.</param>
    /// <param name="reverse">From the last step to the first; a sequence that is shorter starts, with its initial state, at its own end.</param>
    /// <param name="threads">How many threads may be used, at least 1. The results do not depend on it.</param>
    /// <exception cref="ArgumentException">A size does not fit, or x or a hidden state is not finite where it is quantized; in the latter case the states and y are half done.</exception>
    public static void Run(ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, PackedLinear inputWeights, PackedLinear hiddenWeights,
        Span<float> h, Span<float> c, Span<float> y, int yStride, bool reverse = false, int threads = 1) =>
        Run(Isa.Current, x, batchSizes, inputWeights, hiddenWeights, h, c, y, yStride, reverse, threads);

    internal static unsafe void Run(Isa isa, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, PackedLinear inputWeights, PackedLinear hiddenWeights,
        Span<float> h, Span<float> c, Span<float> y, int yStride, bool reverse, int threads)
    {
        RecurrentShape shape = RecurrentShape.Check(x.Length, batchSizes, inputWeights, hiddenWeights, LstmCell.Gates, h.Length, y.Length, yStride, threads);
        Argument.HasLength(c.Length, h.Length, nameof(c), "as many as h");
        int hidden = shape.Hidden;
        if (LstmRows.Fits(batchSizes, inputWeights, hiddenWeights, threads))
        {
            fixed (float* hPointer = h, cPointer = c, yPointer = y)
                LstmRows.Run(isa, x, batchSizes.Length, batchSizes[0], (Int8Linear)inputWeights, (Int8Linear)hiddenWeights, hPointer, cPointer, yPointer, yStride, reverse, threads);
            return;
        }

        var product = new InputProduct(inputWeights, hiddenWeights, x, batchSizes, shape.Rows, reverse, threads, LstmCell.Gates);
        fixed (float* hPointer = h, cPointer = c, yPointer = y)
        {
            int end = shape.Rows, start = 0;
            for (int i = 0; i < batchSizes.Length; i++)
            {
                int step = reverse ? batchSizes.Length - 1 - i : i, batch = batchSizes[step];
                int first = reverse ? end - batch : start;
                Span<float> gates = product.Of(step, first);
                fixed (float* gatePointer = gates)
                {
                    var cell = new LstmCell(gatePointer, hidden, hPointer, cPointer, yPointer + (nint)first * yStride, yStride);
                    HiddenProduct.Step(isa, hiddenWeights, h[..(batch * hidden)], batch, gates, accumulate: true, cell, threads, step);
                }

                start += batch;
                end -= batch;
            }
        }

        product.Return();
    }
}

/// <summary>
/// The step of an LSTM after its products: gates [batch, 4 H] and the states [batch, H] give the new states. A row is gone over twice, for the cell states and then for the hidden
/// states: in one pass the chain from a gate to the hidden state is so long that the processor overlaps too few vectors.
/// </summary>
internal readonly unsafe struct LstmCell(float* gates, nint hidden, float* h, float* c, float* y, nint yStride, nint first, nint end) : IGateCell
{
    /// <inheritdoc/>
    public static int Gates => 4;

    public LstmCell(float* gates, nint hidden, float* h, float* c, float* y, nint yStride)
        : this(gates, hidden, h, c, y, yStride, 0, hidden)
    {
    }

    /// <inheritdoc/>
    public GateJob AfterProduct() => new(this);

    /// <summary>The step for some of the hidden units.</summary>
    public LstmCell Part(nint from, nint to) => new(gates, hidden, h, c, y, yStride, from, to);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Row<TLanes, TFloat, TInt>(nint row) where TLanes : struct, ILanes<TFloat, TInt>
    {
        float* rowGates = gates + row * 4 * hidden + first, rowC = c + row * hidden + first;
        nint units = end - first;
        new LaneLoop<CellStates>(new CellStates(rowGates, hidden, rowC), units).Run<TLanes, TFloat, TInt>();
        new LaneLoop<HiddenStates>(new HiddenStates(rowGates + 3 * hidden, rowC, h + row * hidden + first, y + row * yStride + first), units).Run<TLanes, TFloat, TInt>();
    }

    /// <summary>c' = sigmoid(f) c + sigmoid(i) tanh(g).</summary>
    private readonly struct CellStates(float* gates, nint hidden, float* c) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint unit) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat input = TLanes.Load(gates + unit), forget = TLanes.Load(gates + hidden + unit), candidate = TLanes.Load(gates + 2 * hidden + unit);
            TFloat kept = TLanes.Multiply(ActivationLanes<TLanes, TFloat, TInt>.Sigmoid(forget), TLanes.Load(c + unit));
            TLanes.Store(TLanes.Add(kept, ActivationLanes<TLanes, TFloat, TInt>.SigmoidTimesTanh(input, candidate)), c + unit);
        }
    }

    /// <summary>h' = sigmoid(o) tanh(c').</summary>
    private readonly struct HiddenStates(float* gates, float* c, float* h, float* y) : ILaneLoop
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void At<TLanes, TFloat, TInt>(nint unit) where TLanes : struct, ILanes<TFloat, TInt>
        {
            TFloat state = ActivationLanes<TLanes, TFloat, TInt>.SigmoidTimesTanh(TLanes.Load(gates + unit), TLanes.Load(c + unit));
            TLanes.Store(state, h + unit);
            TLanes.Store(state, y + unit);
        }
    }
}
