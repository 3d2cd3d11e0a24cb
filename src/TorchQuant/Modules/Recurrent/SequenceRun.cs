using System.Buffers;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>Runs all layers and directions of an LSTM or a GRU over a sequence: the forward of both modules.</summary>
/// <param name="module">The module, for its name in messages.</param>
/// <param name="options">Its options; 4 gates are an LSTM, 3 a GRU.</param>
internal sealed class SequenceRun(IQuantizedModule module, RecurrentSettings options)
{
    private readonly RecurrentInput _check = new(module, options);

    private int StateRows => options.NumLayers * options.Directions;

    /// <summary>y, hn and cn of a sequence; cn is null for a GRU. Every tensor is new.</summary>
    public (Tensor Y, Tensor H, Tensor? C) Forward(RecurrentWeights weights, Tensor input, Tensor? h0, Tensor? c0)
    {
        var (steps, batch) = _check.Sequence(input);
        CheckStates(h0, c0, batch);
        // One row a step and sample, step after step. A batch of one has the same memory either way.
        using var transposed = options.BatchFirst && batch > 1 ? input.transpose(0, 1) : null;
        var x = (transposed ?? input).Contiguous(out var copy);
        Span<int> few = stackalloc int[64];
        var batchSizes = steps <= few.Length ? few[..steps] : new int[steps];
        batchSizes.Fill(batch);
        var y = options.BatchFirst && batch <= 1
            ? States.Empty(batch, steps, options.HiddenSize * options.Directions)
            : States.Empty(steps, batch, options.HiddenSize * options.Directions);
        try
        {
            var (h, c) = Run(weights, x.Span<float>(), batchSizes, batch, h0, c0, y.Span<float>());
            if (!options.BatchFirst || batch <= 1)
                return (y, h, c);
            var batchFirst = y.transpose(0, 1);
            y.Dispose();
            return (batchFirst, h, c);
        }
        catch
        {
            y.Dispose();
            throw;
        }
        finally
        {
            GC.KeepAlive(x);
            copy?.Dispose();
        }
    }

    /// <summary>The same for a packed sequence: the result is packed alike, and the states are in the order of the sequences as they were packed.</summary>
    public (nn.utils.rnn.PackedSequence Y, Tensor H, Tensor? C) Forward(RecurrentWeights weights, nn.utils.rnn.PackedSequence input, Tensor? h0, Tensor? c0)
    {
        ArgumentNullException.ThrowIfNull(input);
        _check.Packed(input.data);
        var batchSizes = PackedSequences.BatchSizes(input);
        CheckStates(h0, c0, batchSizes[0]);
        using var sortedH = PackedSequences.Sort(input, h0);
        using var sortedC = PackedSequences.Sort(input, c0);
        var x = input.data.Contiguous(out var copy);
        var y = PackedSequences.Like(input, batchSizes, options.HiddenSize * options.Directions);
        try
        {
            var (h, c) = Run(weights, x.Span<float>(), batchSizes, batchSizes[0], sortedH ?? h0, sortedC ?? c0, y.data.Span<float>());
            return (y, PackedSequences.Unsort(input, h), c is null ? null : PackedSequences.Unsort(input, c));
        }
        catch
        {
            y.Dispose();
            throw;
        }
        finally
        {
            GC.KeepAlive(x);
            copy?.Dispose();
        }
    }

    private void CheckStates(Tensor? h0, Tensor? c0, int batch)
    {
        ReadOnlySpan<long> shape = [StateRows, batch, options.HiddenSize];
        if (h0 is not null)
            _check.State(h0, "h_0", shape);
        if (c0 is not null)
            _check.State(c0, "c_0", shape);
    }

    private (Tensor H, Tensor? C) Run(
        RecurrentWeights weights, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, int batch, Tensor? h0, Tensor? c0, Span<float> y)
    {
        var h = States.New(h0, StateRows, batch, options.HiddenSize);
        var c = options.Gates == 4 ? States.New(c0, StateRows, batch, options.HiddenSize) : null;
        try
        {
            if (batch > 0)
                Layers(weights, x, batchSizes, h.Span<float>(), c is null ? [] : c.Span<float>(), y);
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
    }

    // Between layers the values go through two pooled buffers in turn; the last layer writes the output itself.
    private void Layers(RecurrentWeights weights, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, Span<float> h, Span<float> c, Span<float> y)
    {
        var length = options.NumLayers > 1 ? y.Length : 0;
        var front = ArrayPool<float>.Shared.Rent(length);
        var back = ArrayPool<float>.Shared.Rent(options.NumLayers > 2 ? length : 0);
        var threads = get_num_threads();
        try
        {
            for (var layer = 0; layer < options.NumLayers; layer++)
            {
                var output = layer == options.NumLayers - 1 ? y : front.AsSpan(0, length);
                Directions(weights, layer, x, batchSizes, h, c, output, threads);
                x = output;
                (front, back) = (back, front);
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(front);
            ArrayPool<float>.Shared.Return(back);
        }
    }

    private void Directions(
        RecurrentWeights weights, int layer, ReadOnlySpan<float> x, ReadOnlySpan<int> batchSizes, Span<float> h, Span<float> c, Span<float> y, int threads)
    {
        var state = batchSizes[0] * options.HiddenSize;
        for (var direction = 0; direction < options.Directions; direction++)
        {
            var index = layer * options.Directions + direction;
            var cell = weights.Cells[index];
            var columns = y[(direction * options.HiddenSize)..];
            var width = options.HiddenSize * options.Directions;
            var hidden = h.Slice(index * state, state);
            if (options.Gates == 4)
                LstmLayer.Run(x, batchSizes, cell.Input, cell.Hidden, hidden, c.Slice(index * state, state), columns, width, direction == 1, threads);
            else
                GruLayer.Run(x, batchSizes, cell.Input, cell.Hidden, hidden, columns, width, direction == 1, threads);
        }
    }
}
