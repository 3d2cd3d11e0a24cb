using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// An LSTM made of <see cref="QuantizableLSTMCell"/>s, PyTorch's <c>torch.ao.nn.quantizable.LSTM</c>: what <c>quantization.prepare</c> puts in the place of an <see cref="LSTM"/>,
/// so that what flows between its operations can be observed. Its parts have PyTorch's names, <c>layers.0.layer_fw.cell.igates</c>.
/// </summary>
/// <remarks>Float, it computes what the LSTM computes in eval mode; dropout between layers is none of its parts, as in PyTorch.</remarks>
public sealed class QuantizableLSTM : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>
{
    private const int Gates = 4;

    [ComponentName(Name = "layers")]
    private readonly ModuleList<QuantizableLSTMLayer> _layers;

    private readonly StaticRecurrentInput _check;

    /// <summary>An LSTM with first weights as <c>nn.Linear</c> draws them.</summary>
    /// <param name="input_size">The size of the input.</param>
    /// <param name="hidden_size">The size of the states of one direction.</param>
    /// <param name="num_layers">Layers, each fed by the one before.</param>
    /// <param name="bias">Whether there are biases b_ih and b_hh.</param>
    /// <param name="batch_first">Whether input and output are (batch, sequence, features) instead of (sequence, batch, features).</param>
    /// <param name="bidirectional">Whether each layer also runs backwards.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public QuantizableLSTM(long input_size, long hidden_size, long num_layers = 1, bool bias = true, bool batch_first = false, bool bidirectional = false)
        : this(
            new RecurrentSettings(Gates, FloatParts.Size(input_size), FloatParts.Size(hidden_size), bias, FloatParts.Size(num_layers), batch_first, bidirectional),
            (settings, layer, _) => new QuantizableLSTMCell(settings.InputSizeOf(layer), settings.HiddenSize, settings.Bias))
    {
    }

    private QuantizableLSTM(RecurrentSettings settings, Func<RecurrentSettings, int, RecurrentNames, QuantizableLSTMCell> cell) : base(nameof(QuantizableLSTM))
    {
        Settings = settings;
        _check = new StaticRecurrentInput(GetName, settings);
        _layers = new ModuleList<QuantizableLSTMLayer>([.. Enumerable.Range(0, settings.NumLayers).Select(layer => new QuantizableLSTMLayer(
            cell(settings, layer, new RecurrentNames(layer, reverse: false)),
            settings.Bidirectional ? cell(settings, layer, new RecurrentNames(layer, reverse: true)) : null))]);
        RegisterComponents();
    }

    /// <summary>Sizes and options.</summary>
    internal RecurrentSettings Settings { get; }

    /// <summary>The cells in the order of <see cref="RecurrentSettings.Cells"/>.</summary>
    internal IEnumerable<QuantizableLSTMCell> Cells => _layers.SelectMany(layer => layer.Cells);

    /// <summary>An LSTM with copies of the weights of a float one, and with its qconfig if it has one.</summary>
    /// <param name="module">The float module, of any options; it is not changed.</param>
    public static QuantizableLSTM from_float(LSTM module)
    {
        ArgumentNullException.ThrowIfNull(module);
        var weights = FloatRecurrent.Parameters(module);
        return FloatParts.TakingOver(module, new QuantizableLSTM(FloatRecurrent.Of(module), (_, _, names) => QuantizableLSTMCell.Of(weights, names)));
    }

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">(sequence, batch, features), or (batch, sequence, features) if batch_first: float, or quint8 once the parts are converted.</param>
    /// <param name="h0_c0">The initial hidden and cell states, each (layers * directions, batch, hidden), float or quint8 as the input is; zeros if null (of scale 1 and zero point 0 if
    /// quint8).</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden and cell states. Where they are quint8, each of the three tensors has one scale: the output that of the last
    /// layer's forward direction, the states those of the first layer's.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or one of input and states is float and another quantized.</exception>
    public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        var (_, batch) = _check.Sequence(input);
        using var scope = NewDisposeScope();
        ReadOnlySpan<long> shape = [Settings.NumLayers * Settings.Directions, batch, Settings.HiddenSize];
        var (h0, c0) = h0_c0 ?? (StaticRecurrentInput.Zeros(input, shape), StaticRecurrentInput.Zeros(input, shape));
        _check.State(input, h0, "h_0", shape);
        _check.State(input, c0, "c_0", shape);
        var y = Settings.BatchFirst ? input.transpose(0, 1) : input;
        var states = new List<(Tensor H, Tensor C)>();
        foreach (var (layer, index) in _layers.Select((layer, index) => (layer, index * Settings.Directions)))
        {
            var below = y;
            (y, var h, var c) = layer.Run(y, h0.narrow(0, index, Settings.Directions), c0.narrow(0, index, Settings.Directions));
            states.Add((h, c));
            if (index > 0)
                below.Dispose();
        }

        return scope.MoveToOuter(
            Settings.BatchFirst ? y.transpose(0, 1) : y, SameScale.Cat([.. states.Select(state => state.H)], 0), SameScale.Cat([.. states.Select(state => state.C)], 0));
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <summary>As PyTorch prints it: <c>QuantizableLSTM(13, 9, num_layers=2)</c>.</summary>
    public override string ToString() => $"{GetName()}({Settings})";
}
