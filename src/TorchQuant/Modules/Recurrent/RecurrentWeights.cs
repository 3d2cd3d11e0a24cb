using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules.Recurrent;

/// <summary>The packed matrices of one layer and direction.</summary>
/// <param name="Input">W_ih with b_ih.</param>
/// <param name="Hidden">W_hh with b_hh.</param>
internal sealed record RecurrentCell(PackedLinear Input, PackedLinear Hidden);

/// <summary>The packed weights of a recurrent module, one cell for each layer and direction in PyTorch's order. Immutable: forwards on other threads
/// keep what they began with when a state is loaded.</summary>
internal sealed class RecurrentWeights
{
    private readonly RecurrentSettings _options;

    private RecurrentWeights(RecurrentSettings options, RecurrentCell[] cells)
    {
        _options = options;
        Cells = cells;
        Bytes = cells.Sum(cell => cell.Input.WeightBytes + cell.Hidden.WeightBytes);
    }

    /// <summary>The cells, layer 0 forward, layer 0 reverse, layer 1 forward ...</summary>
    public RecurrentCell[] Cells { get; }

    /// <summary>Bytes of the plain tensors.</summary>
    public long Bytes { get; }

    /// <summary>Whether activations are quantized to 0..127 only.</summary>
    public bool ReduceRange => Cells[0].Input is Int8Linear { ReduceRange: true };

    /// <summary>Quantizes and packs every matrix by itself: per tensor means one scale for all gates, as in PyTorch.</summary>
    /// <exception cref="ArgumentException">A weight is not finite, not float32 or not on the CPU, or the qconfig is none for dynamic quantization.</exception>
    public static RecurrentWeights FromFloat(RecurrentSettings options, nn.Module module, QConfig qconfig, string path)
    {
        ArgumentNullException.ThrowIfNull(qconfig);
        var parameters = FloatRecurrent.Parameters(module);
        PackedLinear Pack(string weight, string bias) =>
            WeightPacking.Pack(parameters[weight], options.Bias ? parameters[bias] : null, qconfig, path.Length == 0 ? weight : $"{path}.{weight}");
        return new(options, [.. options.Cells().Select(cell =>
            new RecurrentCell(Pack(cell.Names.InputWeight, cell.Names.InputBias), Pack(cell.Names.HiddenWeight, cell.Names.HiddenBias)))]);
    }

    /// <summary>Packs the plain tensors again: the inverse of <see cref="Export"/>.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape than the options ask for.</exception>
    public static RecurrentWeights FromState(RecurrentSettings options, bool reduceRange, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        PackedLinear Import(string weight, string bias, int inFeatures)
        {
            var matrix = PackedState.Require(state, weight, path);
            if (matrix.ndim != 2 || matrix.size(0) != options.GateRows || matrix.size(1) != inFeatures)
                throw PackedState.Wrong(path, weight, matrix, $"the shape [{options.GateRows}, {inFeatures}]");
            if (options.Bias)
                PackedState.Require(state, bias, path);
            else if (state.TryGetValue(bias, out var unexpected))
                throw PackedState.Wrong(path, bias, unexpected, "no bias, as the option bias is false");
            return PackedState.Import(state, weight, bias, reduceRange, path);
        }
        return new(options, [.. options.Cells().Select(cell => new RecurrentCell(
            Import(cell.Names.InputWeight, cell.Names.InputBias, options.InputSizeOf(cell.Layer)),
            Import(cell.Names.HiddenWeight, cell.Names.HiddenBias, options.HiddenSize)))]);
    }

    /// <summary>New plain tensors, which the caller disposes.</summary>
    public List<KeyValuePair<string, Tensor>> Export()
    {
        var state = new List<KeyValuePair<string, Tensor>>();
        foreach (var ((names, _), cell) in _options.Cells().Zip(Cells))
        {
            PackedState.Export(state, cell.Input, names.InputWeight, names.InputBias);
            PackedState.Export(state, cell.Hidden, names.HiddenWeight, names.HiddenBias);
        }
        return state;
    }
}
