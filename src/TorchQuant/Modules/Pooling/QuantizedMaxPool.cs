using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary><see cref="MaxPool1d"/>, <see cref="MaxPool2d"/> or <see cref="MaxPool3d"/> of quint8 tensors: the largest code of each window.</summary>
public sealed class QuantizedMaxPool : QuantizedPool
{
    private readonly PoolingOptions _options;

    private QuantizedMaxPool(PoolingOptions options, string path) : base(nameof(QuantizedMaxPool), options.Dimensions, path) => _options = options;

    /// <summary>The size of a window in each spatial dimension.</summary>
    public IReadOnlyList<long> kernel_size => PoolingOptions.Longs(_options.Kernel);

    /// <summary>The distance of neighbouring windows in each spatial dimension.</summary>
    public IReadOnlyList<long> stride => PoolingOptions.Longs(_options.Stride);

    /// <summary>Positions before the input and after it that windows may reach into, in each spatial dimension.</summary>
    public IReadOnlyList<long> padding => PoolingOptions.Longs(_options.Padding);

    /// <summary>The distance of a window's elements in each spatial dimension.</summary>
    public IReadOnlyList<long> dilation => PoolingOptions.Longs(_options.Dilation);

    /// <summary>Whether a last window counts that is not whole.</summary>
    public bool ceil_mode => _options.CeilMode;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => _options.ToOptions();

    /// <inheritdoc/>
    private protected override bool TakesUnbatched => _options.Dimensions < 3;

    /// <summary>Converts a max pooling.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Holds the path; the observer is not needed.</param>
    /// <exception cref="ArgumentException">An option has another count of numbers than there are spatial dimensions.</exception>
    public static QuantizedMaxPool from_float(MaxPool1d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(1, [module.kernel_size], One(module.stride), One(module.padding), One(module.dilation), module.ceil_mode, conversion);
    }

    /// <inheritdoc cref="from_float(MaxPool1d, StaticConversion)"/>
    public static QuantizedMaxPool from_float(MaxPool2d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(2, module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, conversion);
    }

    /// <inheritdoc cref="from_float(MaxPool1d, StaticConversion)"/>
    public static QuantizedMaxPool from_float(MaxPool3d module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Of(3, module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode, conversion);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedMaxPool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(1, 1), ceil_mode=False)</c>.</summary>
    public override string ToString() => $"{PrintedName}({_options.Describe()}, dilation={ConvolutionOptions.Tuple(_options.Dilation)}, ceil_mode={_options.CeilMode})";

    internal static QuantizedMaxPool FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(PoolingOptions.Read(options, path), path);

    /// <inheritdoc/>
    private protected override Tensor OfLibtorch(Tensor input)
    {
        long[] kernel = PoolingOptions.Longs(_options.Kernel), stride = PoolingOptions.Longs(_options.Stride), padding = PoolingOptions.Longs(_options.Padding), dilation = PoolingOptions.Longs(_options.Dilation);
        return kernel.Length switch
        {
            1 => nn.functional.max_pool1d(input, kernel[0], stride[0], padding[0], dilation[0], _options.CeilMode),
            2 => nn.functional.max_pool2d(input, kernel, stride, padding, dilation, _options.CeilMode),
            _ => nn.functional.max_pool3d(input, kernel, stride, padding, dilation, _options.CeilMode),
        };
    }

    /// <inheritdoc/>
    private protected override VolumeShape OutputOf(VolumeShape input) => _options.OutputOf(input);

    /// <inheritdoc/>
    private protected override void Run(ReadOnlySpan<byte> input, VolumeShape shape, int zeroPoint, Span<byte> output, int threads)
    {
        var (deep, vertical, horizontal) = _options.Windows;
        Int8MaxPool.Run(input, shape.Batch, shape.Depth, shape.Height, shape.Width, shape.Channels, deep, vertical, horizontal, output, threads);
    }

    private static long[]? One(long? number) => number is { } n ? [n] : null;

    private static QuantizedMaxPool Of(int dimensions, long[] kernel, long[]? stride, long[]? padding, long[]? dilation, bool ceilMode, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(conversion);
        return new(PoolingOptions.Of(dimensions, kernel, stride, padding, dilation, ceilMode, conversion.Path), conversion.Path);
    }
}
