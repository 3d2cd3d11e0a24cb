using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="ConvTranspose1d"/>, <see cref="ConvTranspose2d"/> or <see cref="ConvTranspose3d"/> (<c>Kind</c> and the printed name say which):
/// y = conv_transpose(x, W) + b on quint8 codes with int8 weights, code = clamp(round_half_even((float(sum (xq - zx)(wq - zw)) + b / (sx sw)) * (sx sw / scale)) + zero_point).
/// Weights per channel have one scale for each output channel; PyTorch takes weights per tensor only.
/// </summary>
public sealed class QuantizedConvTranspose : ConvolutionModule<PackedConvTranspose>
{
    private const string KindPrefix = "QuantizedConvTranspose";

    private QuantizedConvTranspose(QuantizedWeight weight, ConvolutionOptions options, FusedActivation activation, QParams output, string path)
        : base(KindPrefix, path, options, weight, Packed(weight, options, path), activation, output)
    {
    }

    /// <summary>Positions added to the end of the output in each spatial dimension.</summary>
    public long[] output_padding => Longs(Settings.OutputPadding);

    /// <summary>Converts an observed ConvTranspose1d, ConvTranspose2d or ConvTranspose3d.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Its qconfig and the observer of its output.</param>
    /// <exception cref="ArgumentException">The weights are not finite, not float32 or not on the CPU, or the qconfig is none for int8 weights.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedConvTranspose from_float(ConvolutionTranspose module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        var options = ConvolutionOptions.Of(module, conversion.Path);
        var weight = QuantizedWeight.Of(module.weight, module.bias, conversion, options.Groups);
        return new(weight, options, FusedActivation.None, conversion.Output, conversion.Path);
    }

    /// <summary>Computes with an output size among those that the stride makes possible.</summary>
    /// <param name="input">As <c>forward(input)</c> takes it.</param>
    /// <param name="output_size">The size of each spatial dimension, with or without the dimensions before them; null for what output_padding gives.</param>
    /// <returns>A new tensor of that size.</returns>
    /// <exception cref="ArgumentException">The input is of another type or shape, or the size is impossible; the message names the module.</exception>
    public Tensor forward(Tensor input, long[]? output_size)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (output_size is null)
            return forward(input);
        TakeBack();
        var layer = Layer;
        return Compute(input, layer with { Weights = layer.Weights.WithOutputPadding(OutputPadding(input, output_size)) });
    }

    /// <summary>The kind of a number of spatial dimensions: <c>QuantizedConvTranspose2d</c>.</summary>
    internal static string KindOf(int dimensions) => $"{KindPrefix}{dimensions}d";

    internal static QuantizedConvTranspose FromState(int dimensions, IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var settings = ConvolutionOptions.Read(options, dimensions, transposed: true, path);
        return new(ImportWeight(state, settings, path), settings, ActivationOf(options, path), OutputState.Import(state, path), path);
    }

    /// <inheritdoc/>
    private protected override int[] OutputSize(PackedConvTranspose weights, ReadOnlySpan<int> inputSize) => weights.Shape.OutputSize(inputSize);

    /// <inheritdoc/>
    private protected override void Run(PackedLayer layer, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, QParams outputParams, Span<byte> output) =>
        Int8ConvTranspose.Run(input, batch, inputSize, inputParams, layer.Weights, layer.Bias, outputParams, Activation, output, get_num_threads());

    /// <inheritdoc/>
    private protected override PackedConvTranspose Pack(QuantizedWeight weight) => Packed(weight, Settings, Path);

    /// <inheritdoc/>
    private protected override QuantizedWeight Unpack(PackedLayer layer)
    {
        var (weights, shape) = (layer.Weights, layer.Weights.Shape);
        long[] sizes = [shape.InChannels, shape.OutChannels / shape.Groups, .. kernel_size];
        var codes = new sbyte[sizes.Aggregate(1L, (a, b) => a * b)];
        weights.Unpack(codes);
        return new QuantizedWeight(codes, sizes, weights.Scales.ToArray(), QuantizedWeight.Stored(weights.ZeroPoints), layer.Bias);
    }

    /// <inheritdoc/>
    private protected override QuantizedWeight ImportWeight(IReadOnlyDictionary<string, Tensor> state) => ImportWeight(state, Settings, Path);

    private static QuantizedWeight ImportWeight(IReadOnlyDictionary<string, Tensor> state, ConvolutionOptions options, string path) =>
        QuantizedWeight.Import(state, path, options.Dimensions + 2, shape => shape[1] * options.Groups);

    private static PackedConvTranspose Packed(QuantizedWeight weight, ConvolutionOptions options, string path) =>
        QuantizedWeight.Packing(path, () => PackedConvTranspose.Pack(weight.Codes, options.TransposedShapeOf(weight.Shape), weight.Scales, weight.ZeroPoints));

    /// <summary>What is to be added to the smallest output.</summary>
    private int[] OutputPadding(Tensor input, long[] outputSize)
    {
        var settings = Settings;
        var (dimensions, leading) = (settings.Dimensions, (int)input.dim() - settings.Dimensions);
        if (outputSize.Length != dimensions && outputSize.Length != dimensions + leading)
            throw new ArgumentException(
                $"{Float32OnCpu.Name(this)}: output_size has {outputSize.Length} numbers; expected {dimensions}, the spatial dimensions, or {dimensions + leading}, all dimensions.", nameof(outputSize));
        var added = new int[dimensions];
        for (var d = 0; d < dimensions; d++)
        {
            var wanted = outputSize[outputSize.Length - dimensions + d];
            var least = ((input.size(d + leading) - 1) * settings.Stride[d]) - (2L * settings.Padding[d]) + ((long)settings.Dilation[d] * (kernel_size[d] - 1)) + 1;
            var most = least + settings.Stride[d] - 1;
            if (wanted < least || wanted > most)
                throw new ArgumentException($"{Float32OnCpu.Name(this)}: output_size is {wanted} in spatial dimension {d}; expected {least} to {most} for an input of {input.size(d + leading)}.", nameof(outputSize));
            added[d] = (int)(wanted - least);
        }
        return added;
    }
}
