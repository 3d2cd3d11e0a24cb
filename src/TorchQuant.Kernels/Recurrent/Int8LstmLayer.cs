using System.Buffers;

namespace TorchQuant.Kernels;

/// <summary>
/// One layer in one direction of a statically quantized LSTM, from codes to codes: the input product of the whole sequence at once (a row's codes do not depend on the other
/// rows), then step by step <see cref="Int8LstmCell"/>'s formula with the integers of <see cref="Int8Gemm"/>, <see cref="Int8Add"/>, <see cref="Int8Mul"/> and
/// <see cref="CodeTable"/>. Thread-safe; nothing is allocated in the steady state.
/// </summary>
public static class Int8LstmLayer
{
    /// <summary>Runs the layer over a sequence of at least one step.</summary>
    /// <param name="x">[T, B, I], the codes of the sequence.</param>
    /// <param name="xParams">Their qparams.</param>
    /// <param name="batch">B, at least 1.</param>
    /// <param name="cell">Weights and qparams.</param>
    /// <param name="h">[B, H]. In: the codes of the initial hidden state. Out: those of the final one, of the qparams <see cref="Int8LstmCell.Output"/>.</param>
    /// <param name="hParams">The qparams of the initial hidden state.</param>
    /// <param name="c">[B, H], the cell state, likewise; out of the qparams <see cref="Int8LstmCell.Cell"/>.</param>
    /// <param name="cParams">The qparams of the initial cell state.</param>
    /// <param name="y">Receives the hidden state of every step: row r of T * B at r * yStride.</param>
    /// <param name="yStride">Codes from one row of y to the next, at least H; 2 H leaves room for the other direction.</param>
    /// <param name="reverse">From the last step to the first.</param>
    /// <param name="threads">How many threads may be used, at least 1. The results do not depend on it.</param>
    /// <exception cref="ArgumentException">A size or a parameter does not fit.</exception>
    public static void Run(ReadOnlySpan<byte> x, QParams xParams, int batch, Int8LstmCell cell, Span<byte> h, QParams hParams, Span<byte> c, QParams cParams,
        Span<byte> y, int yStride, bool reverse = false, int threads = 1) =>
        Run(Isa.Current, x, xParams, batch, cell, h, hParams, c, cParams, y, yStride, reverse, threads);

    internal static void Run(Isa isa, ReadOnlySpan<byte> x, QParams xParams, int batch, Int8LstmCell cell, Span<byte> h, QParams hParams, Span<byte> c, QParams cParams,
        Span<byte> y, int yStride, bool reverse, int threads)
    {
        ArgumentNullException.ThrowIfNull(cell);
        int steps = Check(x.Length, batch, cell, h.Length, c.Length, y.Length, yStride);
        int hidden = cell.HiddenSize, rows = steps * batch, columns = Int8LstmCell.Gates * hidden;
        byte[] rentedInput = ArrayPool<byte>.Shared.Rent(checked(rows * columns));
        byte[] rentedStep = ArrayPool<byte>.Shared.Rent(checked(2 * batch * columns));
        Span<byte> inputGates = rentedInput.AsSpan(0, rows * columns);
        Span<byte> gates = rentedStep.AsSpan(0, batch * columns), planes = rentedStep.AsSpan(batch * columns, batch * columns);
        cell.Input.Multiply(isa, x, rows, xParams, inputGates, threads);
        for (int i = 0; i < steps; i++)
        {
            int first = (reverse ? steps - 1 - i : i) * batch;
            cell.Hidden.Multiply(isa, h, batch, hParams, gates, threads);
            Int8Add.Add(isa, inputGates.Slice(first * columns, batch * columns), cell.Input.Output, gates, cell.Hidden.Output, gates, cell.GateSum, relu: false, threads);
            Step(isa, cell, batch, gates, planes, h, c, cParams, threads);
            (hParams, cParams) = (cell.Output, cell.Cell);
            for (int row = 0; row < batch; row++)
                h.Slice(row * hidden, hidden).CopyTo(y[((first + row) * yStride)..]);
        }

        ArrayPool<byte>.Shared.Return(rentedInput);
        ArrayPool<byte>.Shared.Return(rentedStep);
    }

    /// <summary>From the codes of the gates to the new states. The tables put the quarters of all rows one after the other, so that each further operation is one call.</summary>
    private static void Step(Isa isa, Int8LstmCell cell, int batch, ReadOnlySpan<byte> gates, Span<byte> planes, Span<byte> h, Span<byte> c, QParams cParams, int threads)
    {
        int hidden = cell.HiddenSize, length = batch * hidden;
        Span<byte> i = planes[..length], f = planes.Slice(length, length), g = planes.Slice(2 * length, length), o = planes.Slice(3 * length, length);
        for (int row = 0; row < batch; row++)
        {
            ReadOnlySpan<byte> quarters = gates.Slice(row * Int8LstmCell.Gates * hidden, Int8LstmCell.Gates * hidden);
            int at = row * hidden;
            cell.Sigmoid.Apply(isa, quarters[..hidden], i.Slice(at, hidden), 1);
            cell.Sigmoid.Apply(isa, quarters.Slice(hidden, hidden), f.Slice(at, hidden), 1);
            cell.Tanh.Apply(isa, quarters.Slice(2 * hidden, hidden), g.Slice(at, hidden), 1);
            cell.Sigmoid.Apply(isa, quarters.Slice(3 * hidden, hidden), o.Slice(at, hidden), 1);
        }

        Int8Mul.Multiply(isa, f, Int8LstmCell.SigmoidOutput, c, cParams, f, cell.KeptCell, relu: false, threads);
        Int8Mul.Multiply(isa, i, Int8LstmCell.SigmoidOutput, g, Int8LstmCell.TanhOutput, i, cell.NewCell, relu: false, threads);
        Int8Add.Add(isa, f, cell.KeptCell, i, cell.NewCell, c, cell.Cell, relu: false, threads);
        cell.CellTanh.Apply(isa, c, g, threads);
        Int8Mul.Multiply(isa, o, Int8LstmCell.SigmoidOutput, g, Int8LstmCell.TanhOutput, h, cell.Output, relu: false, threads);
    }

    private static int Check(int x, int batch, Int8LstmCell cell, int h, int c, int y, int yStride)
    {
        Argument.IsAtLeast(batch, 1, nameof(batch));
        long row = (long)batch * cell.InputSize;
        if (x == 0 || x % row != 0)
            throw new ArgumentException($"x has {x} elements; expected [T, {batch}, {cell.InputSize}] with at least one step.", nameof(x));
        long rows = x / row * batch;
        Argument.HasLength(h, (long)batch * cell.HiddenSize, nameof(h), "batch * H");
        Argument.HasLength(c, h, nameof(c), "as many as h");
        Argument.IsAtLeast(yStride, cell.HiddenSize, nameof(yStride));
        Argument.IsAtLeast(y, (rows - 1) * yStride + cell.HiddenSize, "y.Length");
        return (int)(rows / batch);
    }
}
