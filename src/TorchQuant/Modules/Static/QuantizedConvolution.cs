using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="Conv1d"/>, <see cref="Conv2d"/> or <see cref="Conv3d"/> (<c>Kind</c> and the printed name say which), with a fused ReLU, ReLU6 or Hardswish where it was fused:
/// y = activation(conv(x, W) + b) on quint8 codes with int8 weights, padded with real zero or as padding_mode says,
/// code = clamp(round_half_even((float(sum (xq - zx)(wq - zw)) + b / (sx sw)) * (sx sw / scale)) + zero_point), FBGEMM's formula.
/// </summary>
public sealed class QuantizedConvolution : ConvolutionModule<PackedConvolution>
{
    private const string KindPrefix = "QuantizedConv";

    private QuantizedConvolution(QuantizedWeight weight, ConvolutionOptions options, FusedActivation activation, QParams output, string path)
        : base(KindPrefix, path, options, weight, Packed(weight, options, path), activation, output)
    {
    }

    /// <summary>Converts an observed Conv1d, Conv2d or Conv3d.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Its qconfig and the observer of its output.</param>
    /// <exception cref="ArgumentException">The module is a transposed convolution, or the weights are not finite, not float32 or not on the CPU, or the qconfig is none for int8 weights.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedConvolution from_float(Convolution module, StaticConversion conversion) => From(module, FusedActivation.None, conversion);

    /// <summary>Converts an observed convolution with its ReLU.</summary>
    /// <typeparam name="TConvolution">Conv1d, Conv2d or Conv3d.</typeparam>
    /// <inheritdoc cref="from_float(Convolution, StaticConversion)"/>
    public static QuantizedConvolution from_float<TConvolution>(FusedModule<TConvolution, ReLU> module, StaticConversion conversion) where TConvolution : Convolution
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, FusedActivation.Relu, conversion);
    }

    /// <summary>Converts an observed convolution with its ReLU6.</summary>
    /// <typeparam name="TConvolution">Conv1d, Conv2d or Conv3d.</typeparam>
    /// <inheritdoc cref="from_float(Convolution, StaticConversion)"/>
    public static QuantizedConvolution from_float<TConvolution>(FusedModule<TConvolution, ReLU6> module, StaticConversion conversion) where TConvolution : Convolution
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, FusedActivation.Relu6, conversion);
    }

    /// <summary>Converts an observed convolution with its Hardswish.</summary>
    /// <typeparam name="TConvolution">Conv1d, Conv2d or Conv3d.</typeparam>
    /// <inheritdoc cref="from_float(Convolution, StaticConversion)"/>
    public static QuantizedConvolution from_float<TConvolution>(FusedModule<TConvolution, Hardswish> module, StaticConversion conversion) where TConvolution : Convolution
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, FusedActivation.Hardswish, conversion);
    }

    /// <summary>The sum of the output for an input and another tensor of codes, to the codes of the two steps; in one, so that the output itself never is in memory.</summary>
    /// <param name="input">[batch, in_channels, spatial...].</param>
    /// <param name="added">Of the output's shape, with the channels last in memory.</param>
    /// <param name="sum">Scale and zero point of the sum.</param>
    /// <param name="relu">Whether negative sums become 0.</param>
    /// <returns>Null where the tensors are others: nothing is done then.</returns>
    internal Tensor? AddTo(Tensor input, Tensor added, QuantizedOutput sum, bool relu)
    {
        TakeBack();
        var (layer, computed) = (Layer, Output.QParams);
        if (input.dtype != ScalarType.QUInt8 || added.dtype != ScalarType.QUInt8 || !IsBatch(input) || added.dim() != input.dim() || added.numel() == 0 || !ChannelsLast.LiesSo(added))
            return null;
        QParams inputParams = QuantizedInput.Read(this, input), addedParams = QuantizedInput.Read(this, added, nameof(added));
        var result = Batched(
            input, sum, layer,
            (source, batch, inputSize, output) => Int8Convolution.Run(
                source, batch, inputSize, inputParams, layer.Weights, layer.Bias, computed, Activation, new Residual(added.Memory<byte>(), addedParams, sum.QParams, relu), output, get_num_threads()),
            shapedAs: added);
        GC.KeepAlive(added);
        return result;
    }

    /// <summary>The kind of a number of spatial dimensions: <c>QuantizedConv2d</c>.</summary>
    internal static string KindOf(int dimensions) => $"{KindPrefix}{dimensions}d";

    internal static QuantizedConvolution FromState(int dimensions, IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) => new(
        QuantizedWeight.Import(state, path, dimensions + 2), ConvolutionOptions.Read(options, dimensions, transposed: false, path), ActivationOf(options, path), OutputState.Import(state, path), path);

    /// <inheritdoc/>
    private protected override int[] OutputSize(PackedConvolution weights, ReadOnlySpan<int> inputSize) => weights.Shape.OutputSize(inputSize);

    /// <inheritdoc/>
    private protected override void Run(PackedLayer layer, ReadOnlySpan<byte> input, int batch, ReadOnlySpan<int> inputSize, QParams inputParams, QParams outputParams, Span<byte> output) =>
        Int8Convolution.Run(input, batch, inputSize, inputParams, layer.Weights, layer.Bias, outputParams, Activation, output, get_num_threads());

    /// <inheritdoc/>
    private protected override PackedConvolution Pack(QuantizedWeight weight) => Packed(weight, Settings, Path);

    /// <inheritdoc/>
    private protected override QuantizedWeight Unpack(PackedLayer layer)
    {
        var (weights, shape) = (layer.Weights, layer.Weights.Shape);
        long[] sizes = [shape.OutChannels, shape.InChannels / shape.Groups, .. kernel_size];
        var codes = new sbyte[sizes.Aggregate(1L, (a, b) => a * b)];
        weights.Unpack(codes);
        return new QuantizedWeight(codes, sizes, weights.Scales.ToArray(), QuantizedWeight.Stored(weights.ZeroPoints), layer.Bias);
    }

    /// <inheritdoc/>
    private protected override QuantizedWeight ImportWeight(IReadOnlyDictionary<string, Tensor> state) => QuantizedWeight.Import(state, Path, Settings.Dimensions + 2);

    private static QuantizedConvolution From(Convolution module, FusedActivation activation, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        if (module.transposed)
            throw new ArgumentException($"{conversion.Path} is a {module.GetType().Name}; expected Conv1d, Conv2d or Conv3d: QuantizedConvTranspose converts transposed convolutions.", nameof(module));
        var weight = QuantizedWeight.Of(module.weight, module.bias, conversion);
        return new(weight, ConvolutionOptions.Of(module, conversion.Path), activation, conversion.Output, conversion.Path);
    }

    private static PackedConvolution Packed(QuantizedWeight weight, ConvolutionOptions options, string path) =>
        QuantizedWeight.Packing(path, () => PackedConvolution.Pack(weight.Codes, options.ShapeOf(weight.Shape), weight.Scales, weight.ZeroPoints));
}
