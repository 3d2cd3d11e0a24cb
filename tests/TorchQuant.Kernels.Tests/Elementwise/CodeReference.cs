namespace TorchQuant.Kernels.Tests.Elementwise;

/// <summary>The elementwise operations on codes as plain arithmetic on one element, each rounding where the documentation of the kernel says so.</summary>
internal static class CodeReference
{
    public static byte Add(byte a, QParams aParams, byte b, QParams bParams, QParams output, bool relu)
    {
        float sum = Dequantize(a, aParams) + Dequantize(b, bParams);
        return ToCode(sum * (1f / output.Scale), output.ZeroPoint, relu);
    }

    public static byte Multiply(byte a, QParams aParams, byte b, QParams bParams, QParams output, bool relu)
    {
        float multiplier = aParams.Scale * bParams.Scale;
        multiplier *= 1f / output.Scale;
        long product = (a - aParams.ZeroPoint) * (long)(b - bParams.ZeroPoint);
        return ToCode(product * multiplier, output.ZeroPoint, relu);
    }

    public static byte BatchNorm(byte code, int zeroPoint, float multiplier, float addend, int outputZeroPoint, bool relu) =>
        ToCode(MathF.FusedMultiplyAdd(multiplier, code - zeroPoint, addend), outputZeroPoint, relu);

    /// <summary>fma(scale, code, -(scale * zero point)).</summary>
    private static float Dequantize(byte code, QParams qparams) => MathF.FusedMultiplyAdd(qparams.Scale, code, -(qparams.Scale * qparams.ZeroPoint));

    private static byte ToCode(float scaled, int zeroPoint, bool relu) =>
        float.IsNaN(scaled) ? (byte)zeroPoint : (byte)Math.Clamp(Math.Round((double)scaled, MidpointRounding.ToEven) + zeroPoint, relu ? zeroPoint : 0, 255);
}
