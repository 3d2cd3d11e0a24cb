using static TorchSharp.torch;

namespace TorchQuant.Tests.Qat;

/// <summary>Fake quantization in torch's operators alone: the value of the grid, the gradient of x within the range and 0 outside.</summary>
internal static class StraightThroughComposition
{
    public static Tensor FakeQuant(Tensor x, FakeQuantizeBase module)
    {
        var quantizer = (FakeQuantize)module;
        var perChannel = quantizer.scale.numel() > 1;
        long[] shape = perChannel ? [-1, .. Enumerable.Repeat(1L, (int)x.dim() - 1)] : [1];
        var (scale, zero) = (quantizer.scale.reshape(shape), quantizer.zero_point.reshape(shape).to(ScalarType.Float32));
        var codes = (x.detach() * (1 / scale)).round() + zero;
        var inside = codes.ge(quantizer.quant_min).logical_and(codes.le(quantizer.quant_max)).to(ScalarType.Float32);
        var value = (codes.clamp(quantizer.quant_min, quantizer.quant_max) - zero) * scale;
        var masked = x * inside;
        return masked + (value - masked).detach();
    }
}
