using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="PReLU"/>: dequantize, x where it is positive and weight x elsewhere, quantize. The weight stays float (PyTorch quantizes it, with an observer
/// that has not seen it). With one weight for all channels it is a function of one number, whose codes are looked up.
/// </summary>
public sealed class QuantizedPReLU : FloatRouteModule
{
    private const string Weight = "weight";
    private const string ParametersOption = "num_parameters";

    private volatile Tables? _tables;

    private QuantizedPReLU(int parameters, FloatTensors tensors, QParams output, string path) : base(nameof(QuantizedPReLU), tensors, [parameters], output, path) => num_parameters = parameters;

    /// <summary>1, or the number of channels.</summary>
    public long num_parameters { get; }

    /// <inheritdoc/>
    private protected override IEnumerable<KeyValuePair<string, string>> OwnOptions => [new(ParametersOption, num_parameters.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Converts an observed PReLU.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">Its weight is not finite, not float32 or not on the CPU.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedPReLU from_float(PReLU module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var output = conversion.Output;
        return new(checked((int)module.num_parameters), FloatTensors.Of(conversion.Path, (Weight, module.weight)), output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedPReLU(num_parameters=1, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Kind}(num_parameters={num_parameters}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedPReLU FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var parameters = StateOptions.Int(options, ParametersOption, path, least: 1);
        var names = FloatTensors.NamesOf(options, path, Weight);
        if (names.Length == 0)
            throw new ArgumentException($"{PackedState.Join(path, Weight)} is missing.");
        var output = OutputState.Import(state, path);
        return new(parameters, FloatTensors.Import(state, path, [parameters], names), output, path);
    }

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        if (num_parameters != 1)
            return base.Compute(input);
        var qparams = QuantizedInput.Read(this, input);
        var (tensors, tables) = (Tensors, _tables);
        if (tables is null || !ReferenceEquals(tables.Tensors, tensors))
            _tables = tables = new(tensors, new CodeTableCache(x => Apply(x, tensors)));
        return tables.Cache.Apply(input, qparams, Output);
    }

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor x, FloatTensors tensors) => nn.functional.prelu(x, tensors[Weight]!);

    /// <inheritdoc/>
    private protected override void CheckShape(Tensor input)
    {
        if (num_parameters != 1 && (input.dim() < 2 || input.shape[1] != num_parameters))
            throw QuantizedInput.WrongShape(this, input, $"[batch, {num_parameters}, ...]");
    }

    /// <summary>The tables with the weight that they are of.</summary>
    private sealed record Tables(FloatTensors Tensors, CodeTableCache Cache);
}
