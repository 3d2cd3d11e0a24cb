using TorchQuant.Modules.Recurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A statically quantized LSTM, PyTorch's <c>torch.ao.nn.quantized.LSTM</c>: quint8 tensors in and out, int8 weights, and nothing in float between.</summary>
/// <remarks>
/// <para>i, f, o = sigmoid and g = tanh of the quarters of quantize(quantize(W_ih x + b_ih) + quantize(W_hh h + b_hh)); c' = quantize(quantize(f c) + quantize(i g)); h' = quantize(o tanh(c')),
/// each with the scale and zero point that calibration chose, sigmoid with (1/256, 0) and tanh with (2/256, 128).</para>
/// <para>A tensor has one scale. As in PyTorch, the output has that of the last layer's forward direction and the final states have that of the first layer's: those of further layers and of
/// the reverse direction are requantized, and clipped where their range is larger.</para>
/// </remarks>
public sealed class QuantizedLSTM : nn.Module<Tensor, (Tensor, Tensor)?, (Tensor, Tensor, Tensor)>, IQuantizedModule
{
    private readonly RecurrentSettings _settings;
    private readonly StaticLstmRun _run;
    private readonly LentState _lent;
    private volatile Int8LstmWeights _weights;

    private QuantizedLSTM(RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path) : base(nameof(QuantizedLSTM))
    {
        Path = path;
        _settings = settings;
        _weights = Int8LstmWeights.FromState(settings, state, path);
        _run = new StaticLstmRun(this, settings);
        _lent = new LentState(() => _weights.Export(), changed => _weights = Int8LstmWeights.FromState(_settings, changed, Path));
    }

    /// <inheritdoc/>
    public string Kind => nameof(QuantizedLSTM);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => _weights.Bytes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => _settings.Write();

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState()
    {
        _lent.TakeBack();
        return _weights.Export();
    }

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>Runs the sequence.</summary>
    /// <param name="input">quint8 (sequence, batch, features), or (batch, sequence, features) if batch_first.</param>
    /// <param name="h0_c0">The initial hidden and cell states, quint8 of any scale, each (layers * directions, batch, hidden); zeros if null.</param>
    /// <returns>The output (sequence, batch, directions * hidden), and the final hidden and cell states: quint8.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or a tensor is not quint8; the message names the module and the mend.</exception>
    public override (Tensor, Tensor, Tensor) forward(Tensor input, (Tensor, Tensor)? h0_c0 = null)
    {
        _lent.TakeBack();
        return _run.Forward(_weights, input, h0_c0);
    }

    /// <summary>As <see cref="forward"/>, with hooks.</summary>
    /// <inheritdoc cref="forward"/>
    public new (Tensor, Tensor, Tensor) call(Tensor input, (Tensor, Tensor)? h0_c0 = null) => base.call(input, h0_c0);

    /// <summary>As PyTorch prints it: <c>QuantizedLSTM(13, 9, num_layers=2)</c>.</summary>
    public override string ToString() => $"{Kind}({_settings})";

    internal static QuantizedLSTM FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(RecurrentSettings.ReadLayers(gates: 4, options, path), state, path);

    /// <summary>The module for parts that <paramref name="convert"/> makes int8.</summary>
    /// <param name="module">The observed module; it is not changed.</param>
    /// <param name="convert">Gives the int8 module for a part; it is disposed.</param>
    /// <param name="path">The module's dotted path.</param>
    internal static QuantizedLSTM Of(QuantizableLSTM module, Func<nn.Module, nn.Module> convert, string path)
    {
        using var state = new PartStates();
        foreach (var ((_, layer), (cell, index)) in module.Settings.Cells().Zip(module.Cells.Select((cell, index) => (cell, index))))
        {
            foreach (var (part, observed) in cell.Parts())
                state.Add($"{Int8LstmWeights.CellName(layer, index % module.Settings.Directions == 1)}.{part}", convert(observed));
        }

        return new QuantizedLSTM(module.Settings, state.Tensors, path);
    }

    /// <inheritdoc/>
    protected override nn.Module _to(ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype);

    /// <inheritdoc/>
    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Float32OnCpu.Accept(this, deviceType);

    /// <inheritdoc/>
    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype, device.type);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _lent.Dispose();
        base.Dispose(disposing);
    }
}
