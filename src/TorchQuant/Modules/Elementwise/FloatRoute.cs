using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Dequantize, libtorch's float operation, quantize: what an operation without an int8 kernel does between int8 modules. No tensor stays behind, and the order in memory is kept.</summary>
internal static class FloatRoute
{
    /// <summary>The operation's result as quint8.</summary>
    /// <param name="input">A quantized tensor; borrowed.</param>
    /// <param name="operation">The float operation; it gives a new tensor.</param>
    /// <param name="output">Scale and zero point of the result.</param>
    public static Tensor Run(Tensor input, Func<Tensor, Tensor> operation, QuantizedOutput output)
    {
        using var noGrad = no_grad();
        using var real = RealValues.Of(input);
        using var result = operation(real);
        var channelsLast = result.dim() is >= 3 and <= 5 && !input.is_contiguous();
        using var source = channelsLast ? ChannelsLast.Of(result) : result.contiguous();
        var codes = output.Empty(source.shape);
        Quantizer.Quantize(source.Span<float>(), codes.Span<byte>(), output.QParams, output.QParams.Lowest, output.QParams.Highest, get_num_threads());
        return MemoryOrder.Restore(codes, channelsLast);
    }
}
