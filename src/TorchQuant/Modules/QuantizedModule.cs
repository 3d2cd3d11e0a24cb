using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the quantized modules that take one tensor and give one: name, path, and the state that is lent as <see cref="IQuantizedModule"/> describes.</summary>
public abstract class QuantizedModule : nn.Module<Tensor, Tensor>, IQuantizedModule
{
    private readonly LentState _lent;

    /// <summary>Keeps the name and the path.</summary>
    /// <param name="kind">The stable name that files use.</param>
    /// <param name="path">The module's dotted path in its model; empty when it is made alone.</param>
    private protected QuantizedModule(string kind, string path) : base(kind)
    {
        ArgumentNullException.ThrowIfNull(path);
        Kind = kind;
        Path = path;
        _lent = new LentState(Export, Import);
    }

    /// <inheritdoc/>
    public string Kind { get; }

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public abstract long WeightBytes { get; }

    /// <inheritdoc/>
    public abstract IReadOnlyDictionary<string, string> Options { get; }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState()
    {
        _lent.TakeBack();
        return Export();
    }

    /// <summary>Takes back the state if it is lent, and computes.</summary>
    /// <param name="input">The input.</param>
    /// <returns>A new tensor.</returns>
    /// <exception cref="ArgumentException">The input is of another type or shape; the message names the module.</exception>
    public sealed override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _lent.TakeBack();
        return Compute(input);
    }

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>Takes back the state if it is lent: what every computation starts with.</summary>
    private protected void TakeBack() => _lent.TakeBack();

    /// <summary>Computes with the packed state.</summary>
    /// <param name="input">Not null.</param>
    private protected abstract Tensor Compute(Tensor input);

    /// <summary>The plain state as new tensors that belong to no DisposeScope.</summary>
    private protected abstract List<KeyValuePair<string, Tensor>> Export();

    /// <summary>Takes over a changed plain state, named as <see cref="Export"/> names it.</summary>
    /// <param name="state">Borrowed tensors.</param>
    private protected abstract void Import(IReadOnlyDictionary<string, Tensor> state);

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
