using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the int8 modules that compute in float between their codes, with float tensors kept as they are: see <see cref="FloatRoute"/>.</summary>
public abstract class FloatRouteModule : StaticQuantizedModule
{
    private readonly long[] _shape;
    private volatile FloatTensors _tensors;

    /// <summary>Keeps the float tensors.</summary>
    /// <param name="kind">The stable name that files use.</param>
    /// <param name="tensors">The float tensors; taken over.</param>
    /// <param name="shape">The shape of each.</param>
    /// <param name="output">Scale and zero point of the output.</param>
    /// <param name="path">The module's dotted path.</param>
    private protected FloatRouteModule(string kind, FloatTensors tensors, long[] shape, QParams output, string path) : base(kind, path, output) =>
        (_tensors, _shape) = (tensors, shape);

    /// <inheritdoc/>
    public override long WeightBytes => base.WeightBytes + _tensors.Bytes;

    /// <inheritdoc/>
    public sealed override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>([FloatTensors.OptionOf(_tensors.Names), .. OwnOptions]);

    /// <summary>The float tensors; another object after they have changed.</summary>
    private protected FloatTensors Tensors => _tensors;

    /// <summary>The options besides the names of the float tensors.</summary>
    private protected abstract IEnumerable<KeyValuePair<string, string>> OwnOptions { get; }

    /// <summary>The float operation.</summary>
    /// <param name="x">Float32; borrowed.</param>
    /// <param name="tensors">The float tensors.</param>
    /// <returns>A new tensor.</returns>
    private protected abstract Tensor Apply(Tensor x, FloatTensors tensors);

    /// <summary>Refuses inputs of a shape that the module does not take.</summary>
    /// <param name="input">A quint8 tensor.</param>
    private protected abstract void CheckShape(Tensor input);

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        QuantizedInput.Read(this, input);
        CheckShape(input);
        var tensors = _tensors;
        var result = FloatRoute.Run(input, x => Apply(x, tensors), Output);
        GC.KeepAlive(tensors);
        return result;
    }

    /// <inheritdoc/>
    private protected override List<KeyValuePair<string, Tensor>> Export()
    {
        var state = base.Export();
        _tensors.Export(state);
        return state;
    }

    /// <inheritdoc/>
    private protected override void Import(IReadOnlyDictionary<string, Tensor> state)
    {
        // Another thread may be computing with the tensors that are replaced: they are left to the collector.
        _tensors = FloatTensors.Import(state, Path, _shape, _tensors.Names);
        base.Import(state);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _tensors.Dispose();
        base.Dispose(disposing);
    }
}
