using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>From a float weight [out, in] and a qconfig to the packed form that the kernels read. Every module that holds a <see cref="PackedLinear"/> packs here.</summary>
internal static class WeightPacking
{
    /// <summary>Quantizes a weight as the qconfig's weight observer says, and packs it: qint8 becomes an <see cref="Int8Linear"/>, float16 a <see cref="HalfLinear"/>.</summary>
    /// <param name="weight">Float32 [out, in]; borrowed.</param>
    /// <param name="bias">Float32 [out], or null; borrowed.</param>
    /// <param name="qconfig">How to quantize.</param>
    /// <param name="path">The dotted path of the weight, for messages: <c>decoder.weight</c>.</param>
    /// <exception cref="ArgumentException">The weight or bias is not finite, not float32 or not on the CPU, or the qconfig is none for dynamic quantization.</exception>
    public static PackedLinear Pack(Tensor weight, Tensor? bias, QConfig qconfig, string path)
    {
        RequireFiniteFloat(weight, path);
        if (bias is not null)
            RequireFiniteFloat(bias, $"{path}'s bias");
        using var observer = qconfig.weight.Create();
        using var detached = weight.detach();
        using var values = detached.contiguous();
        using var biasValues = bias?.contiguous();
        var (rows, columns) = (checked((int)weight.shape[0]), checked((int)weight.shape[1]));
        var plainBias = biasValues?.Span<float>().ToArray();
        if (observer.dtype == qdtype.float16)
            return HalfLinear.Pack(values.Span<float>(), rows, columns, plainBias);
        if (observer is not UniformQuantizationObserverBase uniform || observer.dtype != qdtype.qint8)
            throw new ArgumentException(
                $"{path}: the qconfig's weight observer is {observer}; this module takes weights of qint8 (MinMaxObserver or PerChannelMinMaxObserver with dtype: qdtype.qint8) " +
                "or of float16 (PlaceholderObserver with dtype: qdtype.float16).");
        observer.forward(values).Dispose();
        return new Int8Linear(Quantize(values.Span<float>(), rows, columns, uniform, path), plainBias, ReduceRange(qconfig, path));
    }

    /// <summary>Whether the qconfig's activations use the codes 0..127 only.</summary>
    /// <exception cref="ArgumentException">The activation observer is not one of dynamic quantization.</exception>
    private static bool ReduceRange(QConfig qconfig, string path)
    {
        using var activation = qconfig.activation.Create();
        if (activation is PlaceholderObserver { is_dynamic: true } placeholder && placeholder.dtype == qdtype.quint8)
            return placeholder.reduce_range;
        throw new ArgumentException(
            $"{path}: the qconfig's activation observer is {activation}; with int8 weights, dynamic quantization takes " +
            "PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true), as quantization.default_dynamic_qconfig has it.");
    }

    /// <summary>Refuses a weight that cannot be quantized: another type than float32, another device than the CPU, NaN or infinite values.</summary>
    /// <exception cref="ArgumentException">What was found, where, and the mend.</exception>
    public static void RequireFiniteFloat(Tensor weight, string path)
    {
        if (weight.device_type != TorchSharp.DeviceType.CPU)
            throw new ArgumentException($"{path} is on {weight.device}; quantized modules compute on the CPU: call model.cpu() before quantizing.");
        if (weight.dtype != ScalarType.Float32)
            throw new ArgumentException($"{path} is {weight.dtype}; quantization starts from float32: call model.to(ScalarType.Float32) before quantizing.");
        using var finite = weight.isfinite();
        using var all = finite.all();
        if (all.item<bool>())
            return;
        using var bad = finite.logical_not();
        using var count = bad.sum();
        throw new ArgumentException($"{path} holds {count.item<long>()} NaN or infinite values of {weight.numel()}: the model is damaged (did the training diverge?), so it is not quantized.");
    }

    /// <summary>Codes of a weight whose first axis is that of the channels. PyTorch's <c>_quantize_weight</c>: codes of the whole
    /// int8 range, then clamped to the observer's where that is narrower (-127..127).</summary>
    public static sbyte[] QuantizeCodes(ReadOnlySpan<float> values, QuantizationGrid grid)
    {
        var codes = new sbyte[values.Length];
        if (grid.Scales.Length == 1)
            Quantizer.Quantize(values, codes, new QParams(grid.Scales[0], grid.ZeroPoints[0]), grid.QuantMin, grid.QuantMax);
        else
            Quantizer.QuantizePerChannel(values, codes, grid.Scales, grid.ZeroPoints, grid.QuantMin, grid.QuantMax);
        return codes;
    }

    private static PackedWeights Quantize(ReadOnlySpan<float> values, int rows, int columns, UniformQuantizationObserverBase observer, string path)
    {
        if (observer is PerChannelMinMaxObserver { ch_axis: not 0 and not -2 } other)
            throw new ArgumentException($"{path}: the weight observer has ch_axis {other.ch_axis}; the channels of a weight [out, in] are on axis 0.");
        var (scales, zeroPoints) = observer.QParams();
        var codes = QuantizeCodes(values, new QuantizationGrid(scales, zeroPoints, observer.ChannelAxis, observer.quant_min, observer.quant_max));
        return PackedWeights.Pack(codes, rows, columns, scales, PackedState.Compact(zeroPoints));
    }
}
