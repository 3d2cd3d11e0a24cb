namespace TorchQuant.Kernels;

/// <summary>The codes that an activation leaves: clamping them is the same as clamping the real numbers, since rounding is monotone.</summary>
internal static class CodeRange
{
    /// <summary>The smallest and the largest uint8 code of an output with these parameters.</summary>
    public static (int Low, int High) Of(FusedActivation activation, QParams output) => activation switch
    {
        FusedActivation.Relu => (output.ZeroPoint, byte.MaxValue),
        FusedActivation.Relu6 => (output.ZeroPoint, Code(6, output)),
        _ => (byte.MinValue, byte.MaxValue),
    };

    /// <summary>min(255, round_half_even(x * (1 / scale)) + zeroPoint), for x not below 0.</summary>
    private static int Code(float x, QParams output) =>
        (int)MathF.Min(byte.MaxValue, MathF.Round(x * (1f / output.Scale), MidpointRounding.ToEven) + output.ZeroPoint);
}
