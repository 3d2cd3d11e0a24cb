using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="AvgPool1d"/>, <see cref="AvgPool2d"/> or <see cref="AvgPool3d"/> of quint8 tensors: the mean of each window, rounded to a code of the input's scale and zero point; see <see cref="Int8AveragePool"/>.
/// </summary>
public sealed class QuantizedAvgPool : QuantizedPool
{
    private const string IncludeOption = "count_include_pad";
    private const string DivisorOption = "divisor_override";

    private readonly PoolingOptions _options;
    private readonly int _divisor;

    private QuantizedAvgPool(PoolingOptions options, bool countIncludePad, int divisor, string path) : base(nameof(QuantizedAvgPool), options.Dimensions, path) =>
        (_options, count_include_pad, _divisor) = (options, countIncludePad, divisor);

    /// <summary>The size of a window in each spatial dimension.</summary>
    public IReadOnlyList<long> kernel_size => PoolingOptions.Longs(_options.Kernel);

    /// <summary>The distance of neighbouring windows in each spatial dimension.</summary>
    public IReadOnlyList<long> stride => PoolingOptions.Longs(_options.Stride);

    /// <summary>Positions before the input and after it that windows may reach into, in each spatial dimension.</summary>
    public IReadOnlyList<long> padding => PoolingOptions.Longs(_options.Padding);

    /// <summary>Whether a last window counts that is not whole.</summary>
    public bool ceil_mode => _options.CeilMode;

    /// <summary>Whether positions in the padding count in the mean.</summary>
    public bool count_include_pad { get; }

    /// <summary>What sums are divided by; null: the number of a window's positions.</summary>
    public long? divisor_override => _divisor == 0 ? null : _divisor;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>(_options.ToOptions())
    {
        [IncludeOption] = count_include_pad ? "true" : "false",
        [DivisorOption] = _divisor.ToString(CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    private protected override bool TakesUnbatched => false;

    /// <summary>Converts an average pooling.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    /// <exception cref="ArgumentException">An option has another count of numbers than there are spatial dimensions, or the divisor is negative.</exception>
    public static QuantizedAvgPool from_float(AvgPool1d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(1, [module.kernel_size], module.stride is { } stride ? [stride] : null, [module.padding ?? 0], module.ceil_mode, module.count_include_pad, null, conversion);
    }

    /// <inheritdoc cref="from_float(AvgPool1d, StaticConversion)"/>
    public static QuantizedAvgPool from_float(AvgPool2d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(2, module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad, module.divisor_override, conversion);
    }

    /// <inheritdoc cref="from_float(AvgPool1d, StaticConversion)"/>
    public static QuantizedAvgPool from_float(AvgPool3d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(3, module.kernel_size, module.stride, module.padding, module.ceil_mode, module.count_include_pad, module.divisor_override, conversion);
    }

    /// <summary>As PyTorch prints it, with the divisor where there is one: <c>QuantizedAvgPool2d(kernel_size=(2, 2), stride=(2, 2), padding=(0, 0))</c>.</summary>
    public override string ToString() =>
        $"{PrintedName}({_options.Describe()}{(_options.CeilMode ? ", ceil_mode=True" : "")}{(count_include_pad ? "" : ", count_include_pad=False")}{(_divisor == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $", divisor_override={_divisor}"))})";

    internal static QuantizedAvgPool FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var windows = PoolingOptions.Read(options, path);
        return windows.Dilation.All(d => d == 1)
            ? new(windows, StateOptions.Bool(options, IncludeOption, path), StateOptions.Int(options, DivisorOption, path), path)
            : throw new ArgumentException($"{path}: an average pooling has no dilation; the file has {ConvolutionOptions.Tuple(windows.Dilation)}.");
    }

    /// <inheritdoc/>
    private protected override Tensor OfLibtorch(Tensor input)
    {
        long[] kernel = PoolingOptions.Longs(_options.Kernel), stride = PoolingOptions.Longs(_options.Stride), padding = PoolingOptions.Longs(_options.Padding);
        return kernel.Length switch
        {
            1 => nn.functional.avg_pool1d(input, kernel[0], stride[0], padding[0], _options.CeilMode, count_include_pad),
            2 => nn.functional.avg_pool2d(input, kernel, stride, padding, _options.CeilMode, count_include_pad, divisor_override),
            _ => nn.functional.avg_pool3d(input, kernel, stride, padding, _options.CeilMode, count_include_pad, divisor_override),
        };
    }

    /// <inheritdoc/>
    private protected override VolumeShape OutputOf(VolumeShape input) => _options.OutputOf(input);

    /// <inheritdoc/>
    private protected override void Run(ReadOnlySpan<byte> input, VolumeShape shape, int zeroPoint, Span<byte> output, int threads)
    {
        var (deep, vertical, horizontal) = _options.Windows;
        Int8AveragePool.Run(
            input, shape.Batch, shape.Depth, shape.Height, shape.Width, shape.Channels, deep, vertical, horizontal, zeroPoint, output, count_include_pad, _divisor, threads);
    }

    private static QuantizedAvgPool Of(int dimensions, long[] kernel, long[]? stride, long[]? padding, bool ceilMode, bool countIncludePad, long? divisor, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return divisor is < 0 or > int.MaxValue
            ? throw new ArgumentException($"{conversion.Path}: divisor_override is {divisor}; expected at least 1.")
            : new(PoolingOptions.Of(dimensions, kernel, stride, padding, null, ceilMode, conversion.Path), countIncludePad, (int)(divisor ?? 0), conversion.Path);
    }
}
