using System.Globalization;
using TorchQuant.Kernels;
using TorchQuant.Modules.Recurrent;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The packed cells of a <see cref="QuantizedLSTM"/> (of a <see cref="QuantizedLSTMCell"/> the one), and the tables between their scales. Immutable: forwards on other threads keep what they began with when a state is loaded.</summary>
internal sealed class Int8LstmWeights
{
    private const string Input = nameof(QuantizableLSTMCell.igates);
    private const string Hidden = nameof(QuantizableLSTMCell.hgates);

    private readonly string[] _names;

    private Int8LstmWeights(RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        _names = [.. CellNames(settings)];
        Cells = [.. _names.Select(name => Import(state, name, path))];
        for (var i = 0; i < Cells.Length; i++)
        {
            var inputs = settings.InputSizeOf(i / settings.Directions);
            if (Cells[i].InputSize != inputs || Cells[i].HiddenSize != settings.HiddenSize)
                throw new ArgumentException(
                    $"{PackedState.Join(path, _names[i])}: the weights are of an input of {Cells[i].InputSize} and a state of {Cells[i].HiddenSize}; expected {inputs} and {settings.HiddenSize}.");
        }

        Joins = [.. Cells.Select((cell, i) => LstmJoin.Of(cell, Cells[i - (i % settings.Directions)], Cells[0]))];
        Output = new QuantizedOutput(Cells[^settings.Directions].Output);
        HiddenState = new QuantizedOutput(Cells[0].Output);
        CellState = new QuantizedOutput(Cells[0].Cell);
    }

    /// <summary>The cells, layer 0 forward, layer 0 reverse, layer 1 forward ...</summary>
    public Int8LstmCell[] Cells { get; }

    /// <summary>How the results of each cell get the scales of what they become part of.</summary>
    public LstmJoin[] Joins { get; }

    /// <summary>Makes the output: of the scale of the last layer's forward direction.</summary>
    public QuantizedOutput Output { get; }

    /// <summary>Makes the final hidden states: of the scale of the first layer's forward direction.</summary>
    public QuantizedOutput HiddenState { get; }

    /// <summary>Makes the final cell states: of the scale of the first layer's forward direction.</summary>
    public QuantizedOutput CellState { get; }

    /// <summary>Bytes of the plain tensors.</summary>
    public long Bytes => Cells.Sum(cell => Int8ProductState.Bytes(cell.Input) + Int8ProductState.Bytes(cell.Hidden) + (OutputState.Bytes * Outputs(cell).Length));

    /// <summary>The dotted names of the cells, PyTorch's: <c>layers.0.layer_fw.cell</c>, <c>layers.0.layer_bw.cell</c>, <c>layers.1.layer_fw.cell</c> ...; empty for a module that is a cell.</summary>
    public static IEnumerable<string> CellNames(RecurrentSettings settings) => settings.Cells().Select((cell, index) =>
        settings.NumLayers == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"layers.{cell.Layer}.layer_{(index % settings.Directions == 1 ? "bw" : "fw")}.cell"));

    /// <summary>Packs the weights from plain tensors.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static Int8LstmWeights FromState(RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path) => new(settings, state, path);

    /// <summary>The plain tensors, under the names of the parts of a <see cref="QuantizableLSTM"/>.</summary>
    public List<KeyValuePair<string, Tensor>> Export()
    {
        var state = new List<KeyValuePair<string, Tensor>>();
        foreach (var (name, cell) in _names.Zip(Cells))
        {
            Int8ProductState.Export(state, PackedState.Join(name, Input), cell.Input);
            Int8ProductState.Export(state, PackedState.Join(name, Hidden), cell.Hidden);
            foreach (var (part, output) in Outputs(cell))
                StateParts.AddOutput(state, PackedState.Join(name, part), output);
        }

        return state;
    }

    /// <summary>The weights of the float LSTM under their names there, beside their names here.</summary>
    public static IEnumerable<(string Float, string Quantized)> WeightNames(RecurrentSettings settings) =>
        CellNames(settings).Zip(settings.Cells(), (name, cell) => new[] { (cell.Names.InputWeight, PackedState.Join(name, $"{Input}.weight")), (cell.Names.HiddenWeight, PackedState.Join(name, $"{Hidden}.weight")) }).SelectMany(pair => pair);

    private static (string Part, QParams Output)[] Outputs(Int8LstmCell cell) =>
    [
        (nameof(QuantizableLSTMCell.gates), cell.GateSum),
        (nameof(QuantizableLSTMCell.fgate_cx), cell.KeptCell),
        (nameof(QuantizableLSTMCell.igate_cgate), cell.NewCell),
        (nameof(QuantizableLSTMCell.fgate_cx_igate_cgate), cell.Cell),
        (nameof(QuantizableLSTMCell.ogate_cy), cell.Output),
    ];

    private static Int8LstmCell Import(IReadOnlyDictionary<string, Tensor> state, string cell, string path)
    {
        QParams Output(string part) => StateParts.Output(state, PackedState.Join(cell, part), path);
        var (gates, cellState) = (Output(nameof(QuantizableLSTMCell.gates)), Output(nameof(QuantizableLSTMCell.fgate_cx_igate_cgate)));
        try
        {
            return new Int8LstmCell(
                Int8ProductState.Import(state, PackedState.Join(cell, Input), path),
                Int8ProductState.Import(state, PackedState.Join(cell, Hidden), path),
                Output(nameof(QuantizableLSTMCell.fgate_cx)),
                Output(nameof(QuantizableLSTMCell.igate_cgate)),
                Output(nameof(QuantizableLSTMCell.ogate_cy)),
                Table(gates, Int8LstmCell.SigmoidOutput, static x => x.sigmoid()),
                Table(gates, Int8LstmCell.TanhOutput, static x => x.tanh()),
                Table(cellState, Int8LstmCell.TanhOutput, static x => x.tanh()));
        }
        catch (ArgumentException e) when (e.ParamName is not null)
        {
            throw new ArgumentException($"{PackedState.Join(path, cell)}: {e.Message}", e);
        }
    }

    /// <summary>A function of libtorch, whose last bits decide codes next to ties.</summary>
    private static CodeTable Table(QParams input, QParams output, Func<Tensor, Tensor> function)
    {
        using var arguments = tensor(CodeTable.Arguments(input), device: CPU);
        using var results = function(arguments);
        return CodeTable.FromReals(results.Span<float>(), input, output);
    }
}
