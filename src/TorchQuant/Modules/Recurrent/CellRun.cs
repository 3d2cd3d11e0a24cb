using System.Buffers;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>Runs one step: the forward of the three cells.</summary>
/// <param name="module">The module, for its name in messages.</param>
/// <param name="options">Its options; 4 gates are an LSTM, 3 a GRU, 1 the cell without gates.</param>
internal sealed class CellRun(IQuantizedModule module, RecurrentSettings options)
{
    private readonly RecurrentInput _check = new(module, options);

    /// <summary>The new hidden and cell state; the cell state is null where there is none. Both tensors are new.</summary>
    public (Tensor H, Tensor? C) Forward(RecurrentWeights weights, Tensor input, Tensor? h0, Tensor? c0)
    {
        var (batch, batched) = _check.Step(input);
        ReadOnlySpan<long> shape = batched ? [batch, options.HiddenSize] : [options.HiddenSize];
        if (h0 is not null)
            _check.State(h0, "h_0", shape);
        if (c0 is not null)
            _check.State(c0, "c_0", shape);
        var x = input.Contiguous(out var copy);
        var h = States.New(h0, shape);
        var c = options.Gates == 4 ? States.New(c0, shape) : null;
        try
        {
            if (batch > 0)
                Step(weights.Cells[0], x.Span<float>(), batch, h.Span<float>(), c is null ? [] : c.Span<float>());
            return (h, c);
        }
        catch (Exception e)
        {
            h.Dispose();
            c?.Dispose();
            if (e is ArgumentException refused)
                throw FloatInput.Refused(module, refused);
            throw;
        }
        finally
        {
            copy?.Dispose();
            GC.KeepAlive(input);
        }
    }

    private void Step(RecurrentCell cell, ReadOnlySpan<float> x, int batch, Span<float> h, Span<float> c)
    {
        var threads = get_num_threads();
        if (options.Gates == 1)
        {
            RnnStep.Run(x, batch, cell.Input, cell.Hidden, h, options.Nonlinearity == FloatRecurrent.Relu, threads);
            return;
        }
        // A step is a sequence of one, whose output is the new hidden state once more.
        var y = ArrayPool<float>.Shared.Rent(h.Length);
        try
        {
            var output = y.AsSpan(0, h.Length);
            if (options.Gates == 4)
                LstmLayer.Run(x, [batch], cell.Input, cell.Hidden, h, c, output, options.HiddenSize, reverse: false, threads);
            else
                GruLayer.Run(x, [batch], cell.Input, cell.Hidden, h, output, options.HiddenSize, reverse: false, threads);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(y);
        }
    }
}
