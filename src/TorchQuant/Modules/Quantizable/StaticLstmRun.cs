using System.Buffers;
using TorchQuant.Kernels;
using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The forward of a <see cref="QuantizedLSTM"/>, all layers and directions over a sequence of codes, and of a <see cref="QuantizedLSTMCell"/>, one step.</summary>
/// <param name="module">The module, for its name in messages.</param>
/// <param name="settings">Its sizes.</param>
internal sealed class StaticLstmRun(IQuantizedModule module, RecurrentSettings settings)
{
    private readonly CodesInput _check = new(module, settings);

    /// <summary>y, hn and cn of a sequence. Every tensor is new.</summary>
    public (Tensor Y, Tensor H, Tensor C) Forward(Int8LstmWeights weights, Tensor input, (Tensor H, Tensor C)? states)
    {
        var (steps, batch) = _check.Sequence(input);
        ReadOnlySpan<long> shape = [settings.NumLayers * settings.Directions, batch, settings.HiddenSize];
        if (states is { } given)
        {
            _check.State(given.H, "h_0", shape);
            _check.State(given.C, "c_0", shape);
        }

        // One row a step and sample, step after step. A batch of one has the same memory either way.
        var swaps = settings.BatchFirst && batch > 1;
        using var transposed = swaps ? input.transpose(0, 1) : null;
        var x = (transposed ?? input).Contiguous(out var copy);
        var width = settings.HiddenSize * settings.Directions;
        var y = weights.Output.Empty(settings.BatchFirst && !swaps ? [batch, steps, width] : [steps, batch, width]);
        var (h, c) = (weights.HiddenState.Empty(shape), weights.CellState.Empty(shape));
        try
        {
            QParams hParams = Load(states?.H, h), cParams = Load(states?.C, c);
            if (batch > 0)
                Layers(weights, x.Span<byte>(), TensorQParams.Of(input), batch, h.Span<byte>(), hParams, c.Span<byte>(), cParams, y.Span<byte>());
            return (swaps ? y.transpose(0, 1) : y.alias(), h, c);
        }
        catch
        {
            h.Dispose();
            c.Dispose();
            throw;
        }
        finally
        {
            y.Dispose();
            copy?.Dispose();
            GC.KeepAlive(input);
        }
    }

    /// <summary>The states after one step. Both tensors are new.</summary>
    public (Tensor H, Tensor C) Step(Int8LstmWeights weights, Tensor input, (Tensor H, Tensor C)? states)
    {
        var (batch, batched) = _check.Step(input);
        ReadOnlySpan<long> shape = batched ? [batch, settings.HiddenSize] : [settings.HiddenSize];
        if (states is { } given)
        {
            _check.State(given.H, "h_0", shape);
            _check.State(given.C, "c_0", shape);
        }

        var x = input.Contiguous(out var copy);
        var (h, c) = (weights.HiddenState.Empty(shape), weights.CellState.Empty(shape));
        // The output of a sequence of one step is its hidden state once more.
        var y = ArrayPool<byte>.Shared.Rent(batch * settings.HiddenSize);
        try
        {
            QParams hParams = Load(states?.H, h), cParams = Load(states?.C, c);
            if (batch > 0)
                Int8LstmLayer.Run(x.Span<byte>(), TensorQParams.Of(input), batch, weights.Cells[0], h.Span<byte>(), hParams, c.Span<byte>(), cParams, y, settings.HiddenSize, threads: get_num_threads());
            return (h, c);
        }
        catch
        {
            h.Dispose();
            c.Dispose();
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(y);
            copy?.Dispose();
            GC.KeepAlive(input);
        }
    }

    /// <summary>Fills a tensor with the codes of an initial state; without one with PyTorch's zeros, of scale 1 and zero point 0.</summary>
    private static QParams Load(Tensor? state, Tensor target)
    {
        if (state is null)
        {
            target.Span<byte>().Clear();
            return new QParams(1, 0);
        }

        var source = state.Contiguous(out var copy);
        using (copy)
            source.Span<byte>().CopyTo(target.Span<byte>());
        GC.KeepAlive(state);
        return TensorQParams.Of(state);
    }

    // Between layers the codes go through two pooled buffers in turn; the last layer writes the output itself.
    private void Layers(Int8LstmWeights weights, ReadOnlySpan<byte> x, QParams xParams, int batch, Span<byte> h, QParams hParams, Span<byte> c, QParams cParams, Span<byte> y)
    {
        var length = settings.NumLayers > 1 ? y.Length : 0;
        var front = ArrayPool<byte>.Shared.Rent(length);
        var back = ArrayPool<byte>.Shared.Rent(settings.NumLayers > 2 ? length : 0);
        var state = batch * settings.HiddenSize;
        for (var layer = 0; layer < settings.NumLayers; layer++)
        {
            var output = layer == settings.NumLayers - 1 ? y : front.AsSpan(0, length);
            var at = layer * settings.Directions;
            Directions(weights, at, x, xParams, batch, h[(at * state)..], hParams, c[(at * state)..], cParams, output);
            x = output;
            xParams = weights.Cells[at].Output;
            (front, back) = (back, front);
        }

        ArrayPool<byte>.Shared.Return(front);
        ArrayPool<byte>.Shared.Return(back);
    }

    /// <summary>One layer. PyTorch joins the directions, then the layers, with the scale of the first: the other codes are requantized to it.</summary>
    private void Directions(Int8LstmWeights weights, int first, ReadOnlySpan<byte> x, QParams xParams, int batch, Span<byte> h, QParams hParams, Span<byte> c, QParams cParams, Span<byte> y)
    {
        var (hidden, width, threads) = (settings.HiddenSize, settings.HiddenSize * settings.Directions, get_num_threads());
        for (var direction = 0; direction < settings.Directions; direction++)
        {
            var index = first + direction;
            var columns = y[(direction * hidden)..];
            Span<byte> ownH = h.Slice(direction * batch * hidden, batch * hidden), ownC = c.Slice(direction * batch * hidden, batch * hidden);
            Int8LstmLayer.Run(x, xParams, batch, weights.Cells[index], ownH, hParams, ownC, cParams, columns, width, direction == 1, threads);
            weights.Joins[index].ApplyToOutput(columns, hidden, width);
            weights.Joins[index].ApplyToStates(ownH, ownC);
        }
    }

    /// <summary>The checks of a module that computes on codes.</summary>
    private sealed class CodesInput(IQuantizedModule module, RecurrentSettings settings) : RecurrentInput(module, settings)
    {
        protected override void RequireType(Tensor tensor, string name)
        {
            ArgumentNullException.ThrowIfNull(tensor, name);
            if (tensor.dtype != ScalarType.QUInt8)
                throw QuantizedInput.Refused(Name, tensor.dtype, name);
        }
    }
}
