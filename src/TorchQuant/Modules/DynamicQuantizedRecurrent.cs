using TorchQuant.Modules.Recurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What the dynamically quantized recurrent modules share: their packed weights, their state and their name.</summary>
/// <typeparam name="TState">The initial state: a tensor, or a tuple of the hidden and the cell state.</typeparam>
/// <typeparam name="TResult">What forward returns.</typeparam>
/// <remarks>For each layer and direction there are two packed matrices, W_ih with b_ih and W_hh with b_hh. W_ih multiplies the input of all steps at once, quantized
/// with the range of the whole input of the layer; W_hh multiplies the hidden state of one step, quantized with the range of that step. Gates and states are float32.
/// Nothing depends on the training flag: a quantized module drops nothing out, and computes no gradients.</remarks>
public abstract class DynamicQuantizedRecurrent<TState, TResult> : nn.Module<Tensor, TState, TResult>, IQuantizedModule
{
    private const string ReduceRangeOption = "reduce_range";

    private readonly LentState _lent;
    private volatile RecurrentWeights _weights;

    private protected DynamicQuantizedRecurrent(string kind, RecurrentSettings options, RecurrentWeights weights, string path) : base(kind)
    {
        Kind = kind;
        Path = path;
        Sizes = options;
        _weights = weights;
        _lent = new LentState(() => _weights.Export(), state => _weights = RecurrentWeights.FromState(Sizes, _weights.ReduceRange, state, Path));
    }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => _weights.Bytes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options
    {
        get
        {
            var options = Sizes.Write();
            options[ReduceRangeOption] = RecurrentSettings.Text(_weights.ReduceRange);
            return options;
        }
    }

    private protected RecurrentSettings Sizes { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState() => Weights().Export();

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>As PyTorch prints it: <c>DynamicQuantizedLSTM(512, 256, num_layers=5)</c>. Dropout is not printed: TorchSharp's modules do not tell theirs, and there is none here.</summary>
    public override string ToString() => $"{Kind}({Sizes})";

    /// <summary>The weights from the tensors of a file.</summary>
    private protected static RecurrentWeights Import(
        RecurrentSettings sizes, IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        RecurrentWeights.FromState(sizes, StateOptions.Bool(options, ReduceRangeOption, path), state, path);

    /// <summary>The packed weights to compute with, after taking back what was lent.</summary>
    private protected RecurrentWeights Weights()
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
