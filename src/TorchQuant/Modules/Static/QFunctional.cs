using System.Runtime.InteropServices;
using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// What a <see cref="FloatFunctional"/> becomes: the operations on quint8 tensors, with libtorch's integers: dequantize, float operation, quantize with the observed scale and zero point. Results lie in memory as
/// the inputs do, channels last where they are.
/// <c>add_scalar</c> and <c>mul_scalar</c> choose their own: they move the zero point or change the scale, and leave the codes (mirrored for a negative factor).
/// </summary>
public sealed class QFunctional : FloatFunctional, IQuantizedModule
{
    private readonly LentState _lent;
    private readonly CodeShift _shift = new();
    private volatile Results _results;

    private QFunctional(QParams output, string path) : base(nameof(QFunctional))
    {
        Path = path;
        _results = new Results(new QuantizedOutput(output));
        _lent = new LentState(Export, Import);
    }

    /// <summary>The scale of the results of add, mul, cat, add_relu and matmul.</summary>
    public float scale => _results.Made.QParams.Scale;

    /// <summary>Their zero point, 0..255.</summary>
    public int zero_point => _results.Made.QParams.ZeroPoint;

    /// <inheritdoc/>
    public string Kind => nameof(QFunctional);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => OutputState.BytesOf(_results.Made.QParams);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>();

    /// <summary>The module for an observed <see cref="FloatFunctional"/>; one that was used for add_scalar and mul_scalar only has scale 1 and zero point 0, which it does not need.</summary>
    /// <param name="conversion">Holds the observer.</param>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QFunctional from_float(StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return new(conversion.Output, conversion.Path);
    }

    /// <inheritdoc/>
    public override Tensor add(Tensor x, Tensor y) => Pair(x, y, static (a, aParams, b, bParams, output, outParams) =>
        Int8Add.Add(a, aParams, b, bParams, output, outParams, relu: false, get_num_threads()));

    /// <inheritdoc/>
    public override Tensor add_relu(Tensor x, Tensor y) => Pair(x, y, static (a, aParams, b, bParams, output, outParams) =>
        Int8Add.Add(a, aParams, b, bParams, output, outParams, relu: true, get_num_threads()));

    /// <inheritdoc/>
    public override Tensor ConvAdd(Tensor x1, Tensor x2, params ReadOnlySpan<nn.Module<Tensor, Tensor>> layers) => Added(x1, x2, layers, relu: false) ?? base.ConvAdd(x1, x2, layers);

    /// <inheritdoc/>
    public override Tensor ConvAddReLU(Tensor x1, Tensor x2, params ReadOnlySpan<nn.Module<Tensor, Tensor>> layers) => Added(x1, x2, layers, relu: true) ?? base.ConvAddReLU(x1, x2, layers);

    /// <inheritdoc/>
    public override Tensor mul(Tensor x, Tensor y) => Pair(x, y, static (a, aParams, b, bParams, output, outParams) =>
        Int8Mul.Multiply(a, aParams, b, bParams, output, outParams, relu: false, get_num_threads()));

    /// <inheritdoc/>
    public override Tensor add_scalar(Tensor x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        return _shift.Add(this, x, y);
    }

    /// <inheritdoc/>
    public override Tensor mul_scalar(Tensor x, double y)
    {
        ArgumentNullException.ThrowIfNull(x);
        return _shift.Multiply(this, x, y);
    }

    /// <inheritdoc/>
    public override Tensor cat(IReadOnlyList<Tensor> x, int dim = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Ready().Concatenation.Run(this, x, dim);
    }

    /// <inheritdoc/>
    public override Tensor matmul(Tensor x, Tensor y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        var made = Ready().Made;
        var output = made.QParams;
        QuantizedInput.Read(this, x, nameof(x));
        QuantizedInput.Read(this, y, nameof(y));
        MatmulShapes.Require(Float32OnCpu.Name(this), x, y);
        using var a = RealValues.Of(x);
        using var b = RealValues.Of(y);
        using var result = a.matmul(b);
        using var source = result.contiguous();
        var codes = made.Empty(source.shape);
        Quantizer.Quantize(source.Span<float>(), codes.Span<byte>(), output, output.Lowest, output.Highest, get_num_threads());
        return codes;
    }

    /// <summary>The sum by the convolution that the layers end with; null if they do not.</summary>
    private Tensor? Added(Tensor x1, Tensor x2, ReadOnlySpan<nn.Module<Tensor, Tensor>> layers, bool relu)
    {
        CheckLayers(x1, x2, layers);
        var before = new List<nn.Module<Tensor, Tensor>>();
        if (LayerSequence.Last(layers, before) is not { } convolution)
            return null;
        if (before.Count == 0)
            return Added(x1, x2, convolution, relu);
        using var x = LayerSequence.Call(CollectionsMarshal.AsSpan(before), x1);
        return Added(x, x2, convolution, relu);
    }

    private Tensor Added(Tensor x1, Tensor x2, QuantizedConvolution convolution, bool relu)
    {
        if (convolution.AddTo(x1, x2, Ready().Made, relu) is { } sum)
            return sum;
        using var y = convolution.call(x1);
        return relu ? add_relu(y, x2) : add(y, x2);
    }

    private Tensor Pair(Tensor x, Tensor y, CodePairKernel kernel)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        return CodePairing.Run(this, x, y, Ready().Made, kernel);
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState()
    {
        _lent.TakeBack();
        return Export();
    }

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>As PyTorch prints it: <c>QFunctional(scale=0.05, zero_point=128)</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Kind}(scale={scale}, zero_point={zero_point})");

    internal static QFunctional FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(OutputState.Import(state, path), path);

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
        {
            _lent.Dispose();
            _results.Made.Dispose();
            _shift.Dispose();
        }
        base.Dispose(disposing);
    }

    private Results Ready()
    {
        _lent.TakeBack();
        return _results;
    }

    private List<KeyValuePair<string, Tensor>> Export() => _results.Made.Export();

    private void Import(IReadOnlyDictionary<string, Tensor> state)
    {
        var made = _results.Made.Import(state, Path);
        if (!ReferenceEquals(made, _results.Made))
            _results = new Results(made);
    }

    /// <summary>What depends on the scale and the zero point of the results.</summary>
    private sealed class Results(QuantizedOutput made)
    {
        public QuantizedOutput Made => made;

        public CodeConcatenation Concatenation => field ??= new CodeConcatenation(made);
    }
}
