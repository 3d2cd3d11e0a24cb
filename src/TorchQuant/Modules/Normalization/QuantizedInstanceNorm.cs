using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="InstanceNorm1d"/>, <see cref="InstanceNorm2d"/> or <see cref="InstanceNorm3d"/> in eval mode: dequantize, float instance norm (with the statistics
/// of each picture, or the running ones where they are tracked), quantize.
/// </summary>
public sealed class QuantizedInstanceNorm : FloatRouteModule
{
    private const string Weight = "weight";
    private const string Bias = "bias";
    private const string Mean = "running_mean";
    private const string Variance = "running_var";
    private const string DimensionsOption = "dimensions";
    private const string ChannelsOption = "num_features";
    private const string EpsOption = "eps";

    private readonly int _dimensions;
    private readonly int _channels;
    private readonly double _eps;

    private QuantizedInstanceNorm(int dimensions, int channels, double eps, FloatTensors tensors, QParams output, string path)
        : base(nameof(QuantizedInstanceNorm), tensors, [channels], output, path) =>
        (_dimensions, _channels, _eps) = (dimensions, channels, eps);

    /// <summary>The number of channels.</summary>
    public long num_features => _channels;

    /// <summary>What is added to the variance.</summary>
    public double eps => _eps;

    /// <inheritdoc/>
    private protected override IEnumerable<KeyValuePair<string, string>> OwnOptions =>
    [
        new(DimensionsOption, _dimensions.ToString(CultureInfo.InvariantCulture)),
        new(ChannelsOption, _channels.ToString(CultureInfo.InvariantCulture)),
        new(EpsOption, _eps.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Converts an observed instance norm.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">Its numbers are not finite, not float32 or not on the CPU.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedInstanceNorm from_float(InstanceNorm module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var output = conversion.Output;
        var dimensions = module switch { InstanceNorm1d => 1, InstanceNorm2d => 2, _ => 3 };
        var tensors = FloatTensors.Of(conversion.Path, (Weight, module.weight), (Bias, module.bias), (Mean, module.running_mean), (Variance, module.running_var));
        return new(dimensions, checked((int)module.num_features), module.eps, tensors, output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedInstanceNorm2d(64, eps=1e-05, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Kind}{_dimensions}d({_channels}, eps={NumberText.Of(_eps)}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedInstanceNorm FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var (dimensions, channels) = (StateOptions.Int(options, DimensionsOption, path, least: 1), StateOptions.Int(options, ChannelsOption, path));
        if (dimensions > 3)
            throw new ArgumentException($"{path}: the option {DimensionsOption} is {dimensions}; expected 1 to 3.");
        var (eps, output, names) = (StateOptions.Double(options, EpsOption, path), OutputState.Import(state, path), FloatTensors.NamesOf(options, path, Weight, Bias, Mean, Variance));
        return new(dimensions, channels, eps, FloatTensors.Import(state, path, [channels], names), output, path);
    }

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor x, FloatTensors tensors)
    {
        if (x.dim() == _dimensions + 2)
            return Normalized(x, tensors);
        using var one = x.unsqueeze(0);
        using var result = Normalized(one, tensors);
        return result.squeeze(0);
    }

    /// <inheritdoc/>
    private protected override void CheckShape(Tensor input)
    {
        var dimensions = input.dim();
        if ((dimensions != _dimensions + 2 && dimensions != _dimensions + 1) || input.shape[dimensions - _dimensions - 1] != _channels)
            throw QuantizedInput.WrongShape(this, input, $"[batch, {_channels}, {SpatialNames.Of(_dimensions)}], with or without the batch");
    }

    private Tensor Normalized(Tensor x, FloatTensors tensors)
    {
        var (mean, variance) = (tensors[Mean], tensors[Variance]);
        return nn.functional.instance_norm(x, mean, variance, tensors[Weight], tensors[Bias], use_input_stats: mean is null, eps: _eps);
    }
}
