using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Statically quantized <see cref="LayerNorm"/>: dequantize, float layer norm with the float weight and bias, quantize.</summary>
public sealed class QuantizedLayerNorm : FloatRouteModule
{
    private const string Weight = "weight";
    private const string Bias = "bias";
    private const string ShapeOption = "normalized_shape";
    private const string EpsOption = "eps";

    private readonly long[] _shape;
    private readonly double _eps;

    private QuantizedLayerNorm(long[] shape, double eps, FloatTensors tensors, QParams output, string path) : base(nameof(QuantizedLayerNorm), tensors, shape, output, path) =>
        (_shape, _eps) = (shape, eps);

    /// <summary>The last dimensions of the input, over which it is normalized.</summary>
    public IReadOnlyList<long> normalized_shape => _shape;

    /// <summary>What is added to the variance.</summary>
    public double eps => _eps;

    /// <inheritdoc/>
    private protected override IEnumerable<KeyValuePair<string, string>> OwnOptions =>
        [new(ShapeOption, string.Join(' ', _shape.Select(size => size.ToString(CultureInfo.InvariantCulture)))), new(EpsOption, _eps.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Converts an observed layer norm.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">Its numbers are not finite, not float32 or not on the CPU.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedLayerNorm from_float(LayerNorm module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var output = conversion.Output;
        return new([.. module.normalized_shape], module.eps, FloatTensors.Of(conversion.Path, (Weight, module.weight), (Bias, module.bias)), output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedLayerNorm((64,), eps=1e-05, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Kind}(({string.Join(", ", _shape)}{(_shape.Length == 1 ? "," : "")}), eps={NumberText.Of(_eps)}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedLayerNorm FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var shape = StateOptions.Sizes(options, ShapeOption, path);
        var (eps, output, names) = (StateOptions.Double(options, EpsOption, path), OutputState.Import(state, path), FloatTensors.NamesOf(options, path, Weight, Bias));
        return new(shape, eps, FloatTensors.Import(state, path, shape, names), output, path);
    }

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor x, FloatTensors tensors) => nn.functional.layer_norm(x, _shape, tensors[Weight], tensors[Bias], _eps);

    /// <inheritdoc/>
    private protected override void CheckShape(Tensor input)
    {
        var shape = input.shape;
        if (shape.Length < _shape.Length || !shape.AsSpan(shape.Length - _shape.Length).SequenceEqual(_shape))
            throw QuantizedInput.WrongShape(this, input, $"[..., {string.Join(", ", _shape)}]");
    }
}
