using TorchQuant.Modules.Recurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What the statically quantized LSTM and its cell share: packed weights, state and name.</summary>
/// <typeparam name="TResult">What forward returns.</typeparam>
/// <remarks>i, f, o = sigmoid and g = tanh of the quarters of quantize(quantize(W_ih x + b_ih) + quantize(W_hh h + b_hh)); c' = quantize(quantize(f c) + quantize(i g)); h' = quantize(o tanh(c')),
/// each with the scale and zero point that calibration chose, sigmoid with (1/256, 0) and tanh with (2/256, 128). Nothing is float between; nothing depends on the training flag.</remarks>
public abstract class QuantizedRecurrent<TResult> : nn.Module<Tensor, (Tensor, Tensor)?, TResult>, IQuantizedModule
{
    private readonly RecurrentSettings _settings;
    private readonly LentState _lent;
    private volatile Int8LstmWeights _weights;

    private protected QuantizedRecurrent(string kind, RecurrentSettings settings, IReadOnlyDictionary<string, Tensor> state, string path) : base(kind)
    {
        (Kind, Path, _settings) = (kind, path, settings);
        _weights = Int8LstmWeights.FromState(settings, state, path);
        _lent = new LentState(() => _weights.Export(), changed => _weights = Int8LstmWeights.FromState(_settings, changed, Path));
        Run = new StaticLstmRun(this, settings);
    }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => _weights.Bytes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => _settings.Write();

    private protected StaticLstmRun Run { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState() => Weights().Export();

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>As PyTorch prints it: <c>QuantizedLSTM(13, 9, num_layers=2)</c>.</summary>
    public override string ToString() => $"{Kind}({_settings})";

    /// <summary>The packed weights to compute with, after taking back what was lent.</summary>
    private protected Int8LstmWeights Weights()
    {
        _lent.TakeBack();
        return _weights;
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
