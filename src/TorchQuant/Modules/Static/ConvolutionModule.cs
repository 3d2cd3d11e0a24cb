using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The base of the statically quantized convolutions: [batch, channels, spatial...] or [channels, spatial...] in and out, with the channels last in memory.</summary>
/// <typeparam name="TPacked">The packed form of the weights.</typeparam>
public abstract class ConvolutionModule<TPacked> : StaticWeightedModule<TPacked> where TPacked : class
{
    private static readonly string[][] s_dimensionNames = [["length"], ["height", "width"], ["depth", "height", "width"]];

    private readonly ConvolutionOptions _options;
    private readonly int[] _kernel;

    /// <summary>Keeps the options.</summary>
    /// <param name="kind">The stable name that files use, without the dimensions.</param>
    /// <param name="path">The module's dotted path.</param>
    /// <param name="options">Stride, padding and so on.</param>
    /// <param name="weight">What was packed.</param>
    /// <param name="packed">The same, packed.</param>
    /// <param name="activation">The activation that was fused into the module.</param>
    /// <param name="output">Scale and zero point of the output.</param>
    private protected ConvolutionModule(string kind, string path, ConvolutionOptions options, QuantizedWeight weight, TPacked packed, FusedActivation activation, QParams output)
        : base($"{kind}{options.Dimensions}d", path, weight, packed, activation, output)
    {
        _options = options;
        _kernel = [.. weight.Shape[2..].Select(k => (int)k)];
        (in_channels, out_channels) = options.Transposed ? (weight.Shape[0], weight.Shape[1] * options.Groups) : (weight.Shape[1] * options.Groups, weight.Shape[0]);
    }

    /// <summary>Channels of the input.</summary>
    public long in_channels { get; }

    /// <summary>Channels of the output.</summary>
    public long out_channels { get; }

    /// <summary>The kernel's size in each spatial dimension.</summary>
    public long[] kernel_size => Longs(_kernel);

    /// <summary>The stride in each spatial dimension.</summary>
    public long[] stride => Longs(_options.Stride);

    /// <summary>Positions added before the input (for a transposed convolution: cut from the output) in each spatial dimension; where a float module was told "same" or "valid", the numbers.</summary>
    public long[] padding => Longs(_options.Padding);

    /// <summary>The distance of the kernel's elements in each spatial dimension.</summary>
    public long[] dilation => Longs(_options.Dilation);

    /// <summary>Into how many independent convolutions the channels are divided.</summary>
    public long groups => _options.Groups;

    /// <summary>What is at the added positions.</summary>
    public PaddingModes padding_mode => Settings.PaddingMode switch
    {
        PaddingMode.Reflect => PaddingModes.Reflect,
        PaddingMode.Replicate => PaddingModes.Replicate,
        PaddingMode.Circular => PaddingModes.Circular,
        _ => PaddingModes.Zeros,
    };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => _options.AddTo(base.Options);

    /// <summary>Stride, padding and so on.</summary>
    private protected ConvolutionOptions Settings => _options;

    /// <summary>As PyTorch prints it: <c>QuantizedConvReLU2d(3, 8, kernel_size=(3, 3), stride=(1, 1), scale=0.05, zero_point=0, padding=(1, 1))</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{PrintedName}({in_channels}, {out_channels}, kernel_size={ConvolutionOptions.Tuple(_kernel)}, stride={ConvolutionOptions.Tuple(_options.Stride)}, scale={scale}, zero_point={zero_point}{_options.Describe(Layer.Bias is not null)})");

    /// <summary>The output's size in each spatial dimension.</summary>
    /// <exception cref="ArgumentException">The input is too small.</exception>
    private protected abstract int[] OutputSize(TPacked weights, ReadOnlySpan<int> inputSize);

    /// <summary>Computes a batch of images with the channels last.</summary>
    private protected abstract void Run(PackedLayer layer, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, QParams outputParams, Span<byte> output);

    /// <inheritdoc/>
    private protected sealed override Tensor Compute(Tensor input) => Compute(input, Layer);

    /// <summary>Computes with weights that are not necessarily the module's own.</summary>
    private protected Tensor Compute(Tensor input, PackedLayer layer)
    {
        var qparams = QuantizedInput.Read(this, input);
        var dimensions = (int)input.dim();
        if (dimensions == _options.Dimensions + 2 && input.size(1) == in_channels)
            return Batched(input, qparams, layer);
        if (dimensions != _options.Dimensions + 1 || input.size(0) != in_channels)
        {
            var image = $"{in_channels}, {string.Join(", ", s_dimensionNames[_options.Dimensions - 1])}]";
            throw QuantizedInput.WrongShape(this, input, $"[batch, {image} or [{image}");
        }
        using var batch = input.unsqueeze(0);
        using var result = Batched(batch, qparams, layer);
        return result.squeeze(0);
    }

    /// <summary>Numbers as TorchSharp's float modules give them.</summary>
    private protected static long[] Longs(int[] numbers) => Array.ConvertAll(numbers, n => (long)n);

    private Tensor Batched(Tensor input, QParams qparams, PackedLayer layer)
    {
        var output = Output;
        var inputSize = new int[_options.Dimensions];
        for (var d = 0; d < inputSize.Length; d++)
            inputSize[d] = checked((int)input.size(d + 2));
        var batch = checked((int)input.size(0));
        using var copy = ChannelsLast.LiesSo(input) ? null : ChannelsLast.Of(input);
        Tensor? result = null;
        try
        {
            var outputSize = OutputSize(layer.Weights, inputSize);
            using var codes = output.EmptyChannelsLast([batch, .. Longs(outputSize), out_channels], out result);
            Run(layer, (copy ?? input).Memory<byte>(), batch, inputSize, qparams, output.QParams, codes.Span<byte>());
            GC.KeepAlive(input);
            return result;
        }
        catch (ArgumentException e)
        {
            // A refusal of the kernel or of the memory's size, which know no path.
            result?.Dispose();
            throw new ArgumentException($"{Float32OnCpu.Name(this)}, for an input of the shape [{string.Join(", ", input.shape)}]: {e.Message}", nameof(input), e);
        }
    }

    /// <summary>The kind with the activation, where PyTorch has it: <c>QuantizedConvReLU2d</c>, and as the float modules that are ours are called: <c>QuantizedConv2dReLU6</c>.</summary>
    private string PrintedName => Activation == FusedActivation.Relu
        ? Kind.Insert(Kind.Length - 2, ActivationName.Suffix(Activation))
        : Kind + ActivationName.Suffix(Activation);
}
