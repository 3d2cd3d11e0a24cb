using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Joins tensors; quantized ones get the scale and zero point of the first, as <c>torch.cat</c> does it, which warns where they differ.</summary>
internal static class SameScale
{
    /// <summary>The tensors one after the other along a dimension, as a new tensor.</summary>
    /// <param name="tensors">At least one; float or quint8.</param>
    /// <param name="dim">The dimension.</param>
    public static Tensor Cat(IReadOnlyList<Tensor> tensors, long dim)
    {
        if (!tensors[0].is_quantized())
            return cat([.. tensors], dim);
        using var scope = NewDisposeScope();
        var (scale, zeroPoint) = (tensors[0].q_scale(), tensors[0].q_zero_point());
        var same = tensors.Select(tensor => tensor.q_scale() == scale && tensor.q_zero_point() == zeroPoint
            ? tensor
            : quantize_per_tensor(tensor.dequantize(), scale, zeroPoint, ScalarType.QUInt8));
        return scope.MoveToOuter(cat([.. same], dim));
    }
}
