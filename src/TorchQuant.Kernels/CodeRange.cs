namespace TorchQuant.Kernels;

/// <summary>The codes that an activation leaves: clamping them is the same as clamping the real numbers, since rounding is monotone.</summary>
internal static class CodeRange
{
    /// <summary>The smallest and the largest uint8 code of an output with these parameters.</summary>
    public static (int Low, int High) Of(FusedActivation activation, QParams output) => activation switch
    {
        FusedActivation.Relu => (FromZero(output), output.Highest),
        FusedActivation.Relu6 => (FromZero(output), Code(6, output)),
        _ => (output.Lowest, output.Highest),
    };

    /// <summary>The smallest code counted from the zero point.</summary>
    public static int LowestFromZero(QParams output, bool relu) => (relu ? FromZero(output) : output.Lowest) - output.ZeroPoint;

    private static int FromZero(QParams output) => Math.Max(output.Lowest, output.ZeroPoint);

    /// <summary>min(highest, round_half_even(x * (1 / scale)) + zeroPoint), for x not below 0.</summary>
    private static int Code(float x, QParams output) =>
        (int)MathF.Min(output.Highest, MathF.Round(x * (1f / output.Scale), MidpointRounding.ToEven) + output.ZeroPoint);
}
