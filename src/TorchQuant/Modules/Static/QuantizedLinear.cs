using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Statically quantized <see cref="Linear"/>, with a fused ReLU or ReLU6 where it was fused: y = activation(x W^T + b) on quint8 codes with int8 weights,
/// code = clamp(round_half_even((float(sum (xq - zx)(wq - zw)) + b / (sx sw)) * (sx sw / scale)) + zero_point), FBGEMM's formula.
/// </summary>
public sealed class QuantizedLinear : StaticWeightedModule<PackedWeights>
{
    private QuantizedLinear(QuantizedWeight weight, FusedActivation activation, QParams output, string path)
        : base(nameof(QuantizedLinear), path, weight, Packed(weight, path), activation, output)
    {
    }

    /// <summary>The size of each input vector.</summary>
    public long in_features => Layer.Weights.InFeatures;

    /// <summary>The size of each output vector.</summary>
    public long out_features => Layer.Weights.OutFeatures;

    /// <summary>Converts an observed Linear.</summary>
    /// <param name="module">The float module; it is read, not changed.</param>
    /// <param name="conversion">Its qconfig and the observer of its output.</param>
    /// <exception cref="ArgumentException">The weights are not finite, not float32 or not on the CPU, or the qconfig is none for int8 weights.</exception>
    /// <exception cref="InvalidOperationException">The observer has seen nothing or gives no quint8.</exception>
    public static QuantizedLinear from_float(Linear module, StaticConversion conversion) => From(module, FusedActivation.None, conversion);

    /// <summary>Converts an observed Linear with its ReLU.</summary>
    /// <inheritdoc cref="from_float(Linear, StaticConversion)"/>
    public static QuantizedLinear from_float(LinearReLU module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, FusedActivation.Relu, conversion);
    }

    /// <summary>Converts an observed Linear with its ReLU6.</summary>
    /// <inheritdoc cref="from_float(Linear, StaticConversion)"/>
    public static QuantizedLinear from_float(LinearReLU6 module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        return From(module.First, FusedActivation.Relu6, conversion);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedLinearReLU(in_features=256, out_features=10, scale=0.05, zero_point=0, qscheme=per_channel_affine)</c>.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Kind}{ActivationName.Suffix(Activation)}(in_features={in_features}, out_features={out_features}, scale={scale}, zero_point={zero_point}, qscheme={(Layer.Weights.Scales.Length == 1 ? qscheme.per_tensor_affine : qscheme.per_channel_affine)})");

    internal static QuantizedLinear FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(QuantizedWeight.Import(state, path, dimensions: 2), ActivationOf(options, path), OutputState.Import(state, path), path);

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var qparams = QuantizedInput.Read(this, input);
        var (layer, output) = (Layer, Output);
        var weights = layer.Weights;
        var shape = input.shape;
        if (shape.Length == 0 || shape[^1] != weights.InFeatures)
            throw QuantizedInput.WrongShape(this, input, $"[..., {weights.InFeatures}]");
        var rows = checked((int)(input.numel() / weights.InFeatures));
        shape[^1] = weights.OutFeatures;
        var source = input.Contiguous(out var copy);
        var result = output.Empty(shape);
        using (copy)
            Int8Gemm.MultiplyToByte(source.Span<byte>(), rows, qparams, weights, layer.Bias, output.QParams, Activation, result.Span<byte>(), get_num_threads());
        GC.KeepAlive(input);
        return result;
    }

    /// <inheritdoc/>
    private protected override PackedWeights Pack(QuantizedWeight weight) => Packed(weight, Path);

    /// <inheritdoc/>
    private protected override QuantizedWeight Unpack(PackedLayer layer)
    {
        var weights = layer.Weights;
        var codes = new sbyte[(long)weights.OutFeatures * weights.InFeatures];
        weights.Unpack(codes);
        return new QuantizedWeight(codes, [weights.OutFeatures, weights.InFeatures], weights.Scales.ToArray(), QuantizedWeight.Stored(weights.ZeroPoints), layer.Bias);
    }

    /// <inheritdoc/>
    private protected override QuantizedWeight ImportWeight(IReadOnlyDictionary<string, Tensor> state) => QuantizedWeight.Import(state, Path, dimensions: 2);

    private static QuantizedLinear From(Linear module, FusedActivation activation, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        return new(QuantizedWeight.Of(module.weight, module.bias, conversion), activation, conversion.Output, conversion.Path);
    }

    private static PackedWeights Packed(QuantizedWeight weight, string path) =>
        QuantizedWeight.Packing(path, () => PackedWeights.Pack(weight.Codes, (int)weight.Shape[0], (int)weight.Shape[1], weight.Scales, weight.ZeroPoints));
}
