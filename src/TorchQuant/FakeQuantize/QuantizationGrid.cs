using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The real numbers that codes stand for: (code - zero point) * scale, for a tensor or for each index of an axis.</summary>
/// <param name="Scales">One, or one for each channel.</param>
/// <param name="ZeroPoints">As many.</param>
/// <param name="Axis">The axis of the channels; null: one grid for the tensor.</param>
/// <param name="QuantMin">The smallest code.</param>
/// <param name="QuantMax">The largest code.</param>
internal sealed record QuantizationGrid(float[] Scales, int[] ZeroPoints, int? Axis, int QuantMin, int QuantMax)
{
    /// <summary>The one scale and zero point and the range, as an int8 module gives codes of quint8.</summary>
    public QParams Output => new(Scales[0], ZeroPoints[0]) { Lowest = (byte)QuantMin, Highest = (byte)QuantMax };

    /// <summary>How many numbers follow one another with one channel, in a contiguous tensor.</summary>
    /// <exception cref="ArgumentException">The tensor is not float32 on the CPU, or has another number of channels.</exception>
    public int Inner(Tensor x)
    {
        if (x.dtype != ScalarType.Float32 || x.device_type != TorchSharp.DeviceType.CPU)
            throw new ArgumentException($"Fake quantization takes float32 on the CPU, found {x.dtype} on {x.device}: convert the model with .to(ScalarType.Float32).cpu().", nameof(x));
        if (Axis is not int given)
            return 0;
        var shape = x.shape;
        var axis = given < 0 ? given + shape.Length : given;
        if (axis < 0 || axis >= shape.Length || shape[axis] != Scales.Length)
            throw new ArgumentException($"The grid has {Scales.Length} channels on axis {given}, and the tensor has the shape [{string.Join(", ", shape)}]: one fake quantizer serves one tensor.", nameof(x));
        var inner = 1L;
        for (var i = axis + 1; i < shape.Length; i++)
            inner *= shape[i];
        return checked((int)inner);
    }
}
