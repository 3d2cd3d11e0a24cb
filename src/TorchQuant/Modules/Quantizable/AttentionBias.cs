using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The learned key and value that add_bias_kv appends. In an int8 model they are quint8 with the range of their own numbers, then get the scale of the keys or values that they
/// join, as <c>torch.cat</c> does it. (PyTorch takes the range of bias_k for bias_v too, by mistake.)</summary>
internal static class AttentionBias
{
    /// <summary>The codes with the scale of what the bias joins.</summary>
    /// <param name="bias">Finite float32, [size].</param>
    /// <param name="joined">The scale and zero point of the keys or values.</param>
    public static byte[] Codes(ReadOnlySpan<float> bias, QParams joined)
    {
        float min = 0, max = 0;
        foreach (var value in bias)
            (min, max) = (Math.Min(min, value), Math.Max(max, value));
        var own = QParamsChooser.ForDynamic(min, max);
        var codes = new byte[bias.Length];
        Quantizer.Quantize(bias, codes, own);
        CodeTable.Requantize(own, joined).Apply(codes, codes);
        return codes;
    }

    /// <summary>x with the bias appended for every sample: float, or quint8 where x is.</summary>
    /// <param name="x">[keys, batch, size].</param>
    /// <param name="bias">[1, 1, size], float.</param>
    public static Tensor Append(Tensor x, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var row = bias;
        if (x.is_quantized())
        {
            var contiguous = bias.detach().to(ScalarType.Float32).contiguous();
            var joined = TensorQParams.Of(x);
            row = quantize_per_tensor(zeros_like(contiguous), joined.Scale, joined.ZeroPoint, ScalarType.QUInt8);
            Codes(contiguous.Span<float>(), joined).CopyTo(row.Span<byte>());
        }

        return scope.MoveToOuter(SameScale.Cat([x, row.expand(1, x.shape[1], x.shape[2])], 0));
    }

    /// <summary>x with a key or value of zeros appended for every sample.</summary>
    /// <param name="x">[keys, batch, size], float or quint8.</param>
    public static Tensor AppendZeros(Tensor x)
    {
        using var scope = NewDisposeScope();
        var zero = zeros([1, x.shape[1], x.shape[2]], dtype: x.is_quantized() ? ScalarType.Float32 : x.dtype, device: x.device);
        return scope.MoveToOuter(SameScale.Cat([x, x.is_quantized() ? quantize_per_tensor(zero, x.q_scale(), x.q_zero_point(), ScalarType.QUInt8) : zero], 0));
    }
}
