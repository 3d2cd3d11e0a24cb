using System.Runtime.InteropServices;
using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The real values of quantized tensors, by the kernel where it has the type: libtorch's own operator would wake its threads, which then take the cores from the kernels' threads.</summary>
internal static class RealValues
{
    /// <summary>x = (code - zero_point) * scale.</summary>
    /// <param name="quantized">A quantized tensor of any type, shape and order of memory; borrowed.</param>
    /// <returns>Float32 of the same shape, and with the channels last in memory where the codes have them so.</returns>
    public static Tensor Of(Tensor quantized)
    {
        var dtype = quantized.dtype;
        if (dtype is not (ScalarType.QUInt8 or ScalarType.QInt8) || quantized.device_type != TorchSharp.DeviceType.CPU || quantized.numel() > int.MaxValue || QParamsOf(quantized) is not { } qparams)
            return quantized.dequantize();
        using var source = MemoryOrder.Of(quantized, out var channelsLast);
        var values = empty(source.shape, dtype: ScalarType.Float32, device: CPU);
        if (dtype == ScalarType.QUInt8)
            Quantizer.Dequantize(source.Span<byte>(), values.Span<float>(), qparams, get_num_threads());
        else
            Quantizer.Dequantize(source.Span<sbyte>(), values.Span<float>(), qparams, get_num_threads());
        return MemoryOrder.Restore(values, channelsLast);
    }

    /// <summary>Null for a tensor with a scale for each channel, which TorchSharp cannot be asked about.</summary>
    private static QParams? QParamsOf(Tensor quantized)
    {
        try
        {
            return TensorQParams.Of(quantized);
        }
        catch (ExternalException)
        {
            return null;
        }
    }
}
