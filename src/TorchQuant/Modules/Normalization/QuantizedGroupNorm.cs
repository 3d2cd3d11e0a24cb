using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Statically quantized <see cref="GroupNorm"/>: dequantize, float group norm with the float weight and bias, quantize.</summary>
public sealed class QuantizedGroupNorm : FloatRouteModule
{
    private const string Weight = "weight";
    private const string Bias = "bias";
    private const string GroupsOption = "num_groups";
    private const string ChannelsOption = "num_channels";
    private const string EpsOption = "eps";

    private readonly int _channels;
    private readonly double _eps;

    private QuantizedGroupNorm(int groups, int channels, double eps, FloatTensors tensors, QParams output, string path) : base(nameof(QuantizedGroupNorm), tensors, [channels], output, path) =>
        (num_groups, _channels, _eps) = (groups, channels, eps);

    /// <summary>The number of groups that the channels are in.</summary>
    public long num_groups { get; }

    /// <summary>What is added to the variance.</summary>
    public double eps => _eps;

    /// <inheritdoc/>
    private protected override IEnumerable<KeyValuePair<string, string>> OwnOptions =>
    [
        new(GroupsOption, num_groups.ToString(CultureInfo.InvariantCulture)),
        new(ChannelsOption, _channels.ToString(CultureInfo.InvariantCulture)),
        new(EpsOption, _eps.ToString(CultureInfo.InvariantCulture)),
    ];

    /// <summary>Converts an observed group norm.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">The observer of its output.</param>
    /// <exception cref="ArgumentException">Its numbers are not finite, not float32 or not on the CPU.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedGroupNorm from_float(GroupNorm module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var output = conversion.Output;
        // TorchSharp keeps the number of channels in the weight alone.
        var channels = module.affine ? checked((int)module.weight.shape[0]) : 0;
        return new(checked((int)module.num_groups), channels, module.eps, FloatTensors.Of(conversion.Path, (Weight, module.weight), (Bias, module.bias)), output, conversion.Path);
    }

    /// <summary>As PyTorch prints it, with the output's scale and zero point: <c>QuantizedGroupNorm(4, 64, eps=1e-05, scale=0.05, zero_point=20)</c>.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Kind}({num_groups}, {(_channels == 0 ? "" : $"{_channels}, ")}eps={NumberText.Of(_eps)}, scale={scale}, zero_point={zero_point})");

    internal static QuantizedGroupNorm FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var (groups, channels) = (StateOptions.Int(options, GroupsOption, path, least: 1), StateOptions.Int(options, ChannelsOption, path));
        var (eps, output, names) = (StateOptions.Double(options, EpsOption, path), OutputState.Import(state, path), FloatTensors.NamesOf(options, path, Weight, Bias));
        return new(groups, channels, eps, FloatTensors.Import(state, path, [channels], names), output, path);
    }

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor x, FloatTensors tensors) => nn.functional.group_norm(x, num_groups, tensors[Weight], tensors[Bias], _eps);

    /// <inheritdoc/>
    private protected override void CheckShape(Tensor input)
    {
        var shape = input.shape;
        if (shape.Length < 3 || (_channels != 0 && shape[1] != _channels) || shape[1] % num_groups != 0)
            throw QuantizedInput.WrongShape(this, input, _channels == 0 ? $"[batch, a multiple of {num_groups}, spatial...]" : $"[batch, {_channels}, spatial...]");
    }
}
