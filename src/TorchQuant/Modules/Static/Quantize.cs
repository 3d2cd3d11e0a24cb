using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>What a <see cref="QuantStub"/> becomes: float32 to quint8, code = clamp(round_half_even(x * (1 / scale)) + zero_point, 0, 255).</summary>
public sealed class Quantize : QuantStub, IQuantizedModule
{
    private readonly LentState _lent;
    private volatile QuantizedOutput _output;

    private Quantize(QParams output, string path) : base(nameof(Quantize))
    {
        Path = path;
        _output = new QuantizedOutput(output);
        _lent = new LentState(Export, Import);
    }

    /// <summary>The scale of the output.</summary>
    public float scale => _output.QParams.Scale;

    /// <summary>The zero point of the output, 0..255.</summary>
    public int zero_point => _output.QParams.ZeroPoint;

    /// <inheritdoc/>
    public string Kind => nameof(Quantize);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => OutputState.BytesOf(_output.QParams);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>();

    /// <summary>The module for an observed stub.</summary>
    /// <param name="conversion">Holds the observer.</param>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static Quantize from_float(StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return new(conversion.Output, conversion.Path);
    }

    /// <summary>Quantizes.</summary>
    /// <param name="input">Float32 of any shape on the CPU; NaN gives the zero point, an infinity the nearest end.</param>
    /// <returns>quint8 of the same shape; [batch, channels, height, width] inputs (and those of 3 and 5 dimensions) come out with the channels last in memory, as the convolutions take them.</returns>
    /// <exception cref="ArgumentException">The input is quantized already, or not float32; the message names the module.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _lent.TakeBack();
        var output = _output;
        if (input.dtype != ScalarType.Float32 || input.device_type != DeviceType.CPU)
            throw new ArgumentException($"{Float32OnCpu.Name(this)} takes float32 on the CPU, found {input.dtype} on {input.device}: {(input.is_quantized() ? "the tensor is quantized already, so this QuantStub is one too many" : "convert it with .to(ScalarType.Float32).cpu()")}.", nameof(input));
        return output.Quantize(input);
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

    /// <summary>As PyTorch prints it: <c>Quantize(scale=0.0186, zero_point=114, dtype=quint8)</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Kind}(scale={scale}, zero_point={zero_point}, dtype={qdtype.quint8})");

    internal static Quantize FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(OutputState.Import(state, path), path);

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
            _output.Dispose();
        }
        base.Dispose(disposing);
    }

    private List<KeyValuePair<string, Tensor>> Export() => _output.Export();

    private void Import(IReadOnlyDictionary<string, Tensor> state) => _output = _output.Import(state, Path);
}
