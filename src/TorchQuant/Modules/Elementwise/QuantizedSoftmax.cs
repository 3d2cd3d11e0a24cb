using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Statically quantized <see cref="Softmax"/>: dequantize, float softmax, quantize, in PyTorch with the scale 1/256 and the zero point 0, which prepare sets.</summary>
public sealed class QuantizedSoftmax : FloatRouteModule
{
    private const string DimOption = "dim";

    private QuantizedSoftmax(long dim, QParams output, string path) : base(nameof(QuantizedSoftmax), FloatTensors.Of(path), [], output, path) => this.dim = dim;

    /// <summary>The dimension along which the results sum to 1; negative from the last.</summary>
    public long dim { get; }

    /// <inheritdoc/>
    private protected override IEnumerable<KeyValuePair<string, string>> OwnOptions => [new(DimOption, dim.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Converts an observed softmax.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedSoftmax from_float(Softmax module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        return new(module.dim, conversion.Output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedSoftmax(dim=1, scale=0.00390625, zero_point=0)</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Kind}(dim={dim}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedSoftmax FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(StateOptions.Int(options, DimOption, path, least: int.MinValue), OutputState.Import(state, path), path);

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor x, FloatTensors tensors) => nn.functional.softmax(x, dim);

    /// <inheritdoc/>
    private protected override void CheckShape(Tensor input)
    {
        var dimensions = input.dim();
        if (dim >= dimensions || dim < -dimensions)
            throw QuantizedInput.WrongShape(this, input, $"of at least {(dim < 0 ? -dim : dim + 1)} dimensions");
    }
}
