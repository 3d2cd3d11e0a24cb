using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="AdaptiveAvgPool1d"/>, <see cref="AdaptiveAvgPool2d"/> or <see cref="AdaptiveAvgPool3d"/> of quint8 tensors: the mean of each window, rounded to a code of the input's scale and zero point; see
/// <see cref="Int8AveragePool"/>.
/// </summary>
public sealed class QuantizedAdaptiveAvgPool : QuantizedPool
{
    private const string SizeOption = "output_size";

    private readonly long[] _size;

    private QuantizedAdaptiveAvgPool(long[] size, string path) : base(nameof(QuantizedAdaptiveAvgPool), size.Length, path) => _size = size;

    /// <summary>The spatial sizes of the output.</summary>
    public IReadOnlyList<long> output_size => _size;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string> { [SizeOption] = StateOptions.Of(Ints(_size)) };

    /// <inheritdoc/>
    private protected override bool TakesUnbatched => false;

    /// <summary>Converts an adaptive average pooling.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    /// <exception cref="ArgumentException">There are not as many sizes as spatial dimensions, or one is below 1.</exception>
    public static QuantizedAdaptiveAvgPool from_float(AdaptiveAvgPool1d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(1, [module.output_size], conversion);
    }

    /// <inheritdoc cref="from_float(AdaptiveAvgPool1d, StaticConversion)"/>
    public static QuantizedAdaptiveAvgPool from_float(AdaptiveAvgPool2d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(2, module.output_size, conversion);
    }

    /// <inheritdoc cref="from_float(AdaptiveAvgPool1d, StaticConversion)"/>
    public static QuantizedAdaptiveAvgPool from_float(AdaptiveAvgPool3d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(3, module.output_size, conversion);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedAdaptiveAvgPool2d(output_size=(1, 1))</c>.</summary>
    public override string ToString() => $"{PrintedName}({SizeOption}={ConvolutionOptions.Tuple(Ints(_size))})";

    internal static QuantizedAdaptiveAvgPool FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var dimensions = StateOptions.Text(options, SizeOption, path).Split(',').Length;
        return dimensions <= 3
            ? new(PoolingOptions.Longs(StateOptions.Ints(options, SizeOption, path, dimensions, least: 1)), path)
            : throw new ArgumentException($"{path}: the option {SizeOption} is '{options[SizeOption]}'; expected 1 to 3 sizes.");
    }

    /// <inheritdoc/>
    private protected override Tensor OfLibtorch(Tensor input) => _size.Length switch
    {
        1 => nn.functional.adaptive_avg_pool1d(input, _size[0]),
        2 => nn.functional.adaptive_avg_pool2d(input, _size),
        _ => nn.functional.adaptive_avg_pool3d(input, _size),
    };

    /// <inheritdoc/>
    private protected override VolumeShape OutputOf(VolumeShape input) =>
        input with { Depth = _size.Length < 3 ? 1 : (int)_size[0], Height = _size.Length < 2 ? 1 : (int)_size[^2], Width = (int)_size[^1] };

    /// <inheritdoc/>
    private protected override void Run(ReadOnlySpan<byte> input, VolumeShape shape, int zeroPoint, Span<byte> output, int threads)
    {
        var pooled = OutputOf(shape);
        Int8AveragePool.RunAdaptive(
            input, shape.Batch, shape.Depth, shape.Height, shape.Width, shape.Channels, pooled.Depth, pooled.Height, pooled.Width, zeroPoint, output, threads);
    }

    private static int[] Ints(long[] sizes) => Array.ConvertAll(sizes, size => (int)size);

    private static QuantizedAdaptiveAvgPool Of(int dimensions, long[] size, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return size.Length == dimensions && size.All(s => s is >= 1 and <= int.MaxValue)
            ? new([.. size], conversion.Path)
            : throw new ArgumentException($"{conversion.Path}: output_size is ({string.Join(", ", size)}); expected {dimensions} sizes of at least 1.");
    }
}
