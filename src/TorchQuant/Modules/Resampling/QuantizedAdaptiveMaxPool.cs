using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="AdaptiveMaxPool1d"/> or <see cref="AdaptiveMaxPool2d"/> of quint8 tensors, which libtorch refuses: the largest code of each window, by way of
/// float. (TorchSharp's AdaptiveMaxPool3d forgets its size and cannot run.) The output has the scale and the zero point of the input.
/// </summary>
public sealed class QuantizedAdaptiveMaxPool : KeptQParamsModule
{
    private const string SizeOption = "output_size";

    private readonly long[] _size;

    private QuantizedAdaptiveMaxPool(long[] size, string path) : base(nameof(QuantizedAdaptiveMaxPool), path) => _size = size;

    /// <summary>The spatial sizes of the output.</summary>
    public IReadOnlyList<long> output_size => _size;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options =>
        new Dictionary<string, string> { [SizeOption] = string.Join(' ', _size.Select(size => size.ToString(CultureInfo.InvariantCulture))) };

    /// <summary>Converts an adaptive max pooling.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    public static QuantizedAdaptiveMaxPool from_float(AdaptiveMaxPool1d module, StaticConversion conversion) => Of([Given(module).output_size], conversion);

    /// <inheritdoc cref="from_float(AdaptiveMaxPool1d, StaticConversion)"/>
    public static QuantizedAdaptiveMaxPool from_float(AdaptiveMaxPool2d module, StaticConversion conversion) => Of([.. Given(module).output_size], conversion);

    /// <summary>As PyTorch prints it: <c>QuantizedAdaptiveMaxPool2d(output_size=(2, 2))</c>.</summary>
    public override string ToString() => $"{Kind}{_size.Length}d(output_size=({string.Join(", ", _size)}{(_size.Length == 1 ? "," : "")}))";

    internal static QuantizedAdaptiveMaxPool FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var size = StateOptions.Sizes(options, SizeOption, path);
        return size.Length <= 2 ? new(size, path) : throw new ArgumentException($"{path}: the option {SizeOption} is '{options[SizeOption]}'; expected 1 or 2 sizes.");
    }

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var qparams = QuantizedInput.Read(this, input);
        if (input.dim() != _size.Length + 2 && input.dim() != _size.Length + 1)
            throw QuantizedInput.WrongShape(this, input, $"[batch, channels, {SpatialNames.Of(_size.Length)}], with or without the batch");
        using var output = new QuantizedOutput(qparams);
        return FloatRoute.Run(input, Largest, output);
    }

    private static T Given<T>(T module) => module ?? throw new ArgumentNullException(nameof(module));

    private static QuantizedAdaptiveMaxPool Of(long[] size, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return new(size, conversion.Path);
    }

    private Tensor Largest(Tensor x) => _size.Length == 1 ? nn.functional.adaptive_max_pool1d(x, _size[0]) : nn.functional.adaptive_max_pool2d(x, _size);
}
