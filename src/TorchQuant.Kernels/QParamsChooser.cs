namespace TorchQuant.Kernels;

/// <summary>
/// Chooses scale and zero point for an observed range, in the two ways PyTorch does: as its Python observers (static quantization, weights) and
/// as its C++ chooser (dynamic quantization, fused fake quantization). They differ in precision, in the smallest scale and in what all-zero data give.
/// </summary>
public static class QParamsChooser
{
    /// <summary>The smallest scale that observers give unless told otherwise: the machine epsilon of float32, 2^-23.</summary>
    public const float Epsilon = 1.1920929e-07f;

    /// <summary>Below this the C++ chooser enlarges the scale, so that it never needs half precision's subnormals.</summary>
    private const float SmallScale = 6.1e-5f;

    /// <summary>
    /// As PyTorch's observers, all in float32. With n = min(min, 0) and p = max(max, 0):
    /// affine: scale = max((p - n) / (quantMax - quantMin), eps), zero point = quantMin - round_half_even(n / scale), clamped to the range;
    /// symmetric: scale = max(max(-n, p) / ((quantMax - quantMin) / 2), eps), zero point as given.
    /// </summary>
    /// <param name="min">The smallest observed value.</param>
    /// <param name="max">The largest observed value.</param>
    /// <param name="quantMin">The smallest code, at most 0.</param>
    /// <param name="quantMax">The largest code, at least 0.</param>
    /// <param name="symmetricZeroPoint">The zero point of the symmetric scheme (0 for int8, 128 for uint8); null for the affine scheme.</param>
    /// <param name="eps">The smallest scale.</param>
    /// <exception cref="ArgumentException">min or max is not finite, min is greater than max, the range of codes is empty or lacks 0, or the scale overflows.</exception>
    public static QParams FromObserver(float min, float max, int quantMin, int quantMax, int? symmetricZeroPoint = null, float eps = Epsilon)
    {
        CheckRange(min, max);
        if (quantMin > 0 || quantMax < 0 || quantMin == quantMax)
            throw new ArgumentException($"quantMin to quantMax is {quantMin} to {quantMax}; expected an increasing range that holds 0.", nameof(quantMin));
        Argument.IsScale(eps, nameof(eps));

        float n = MathF.Min(min, 0), p = MathF.Max(max, 0);
        float steps = (float)((long)quantMax - quantMin);
        float scale = symmetricZeroPoint is null ? (p - n) / steps : MathF.Max(-n, p) / (steps / 2);
        scale = MathF.Max(scale, eps);
        if (!float.IsFinite(scale))
            throw new ArgumentException($"The range {min} to {max} is too wide: its scale is not a finite float32.", nameof(max));
        if (symmetricZeroPoint is int given)
            return new QParams(scale, given);
        double zeroPoint = quantMin - (double)MathF.Round(n / scale, MidpointRounding.ToEven);
        return new QParams(scale, (int)Math.Clamp(zeroPoint, quantMin, quantMax));
    }

    /// <summary>
    /// As PyTorch's C++ ChooseQuantizationParams (ATen's copy of FBGEMM's), in double: scale = (max - min) / (quantMax - quantMin) over a range widened to hold 0;
    /// a scale whose reciprocal overflows becomes 0.1, one below 6.1e-5 becomes 6.1e-5; the zero point comes from the end of the range with the smaller error estimate.
    /// </summary>
    /// <param name="min">The smallest value.</param>
    /// <param name="max">The largest value.</param>
    /// <param name="quantMin">The smallest code.</param>
    /// <param name="quantMax">The largest code.</param>
    /// <param name="reduceRange">Halves both ends of the range of codes: 7 bits, what kernels that can saturate ask for.</param>
    /// <param name="preserveSparsity">A range that holds 0 inside is made symmetric and its zero point the middle of the codes.</param>
    /// <param name="forceScalePowerOfTwo">Rounds the scale to a power of two, upwards.</param>
    /// <exception cref="ArgumentException">min or max is not finite, min is greater than max, or the range of codes is empty.</exception>
    public static QParams ForDynamic(float min, float max, int quantMin = 0, int quantMax = 255, bool reduceRange = false, bool preserveSparsity = false, bool forceScalePowerOfTwo = false)
    {
        CheckRange(min, max);
        if (reduceRange)
            (quantMin, quantMax) = (quantMin / 2, quantMax / 2);
        if (quantMin >= quantMax)
            throw new ArgumentException($"quantMin to quantMax is {quantMin} to {quantMax}; expected an increasing range.", nameof(quantMin));

        if (min < 0 && max > 0 && preserveSparsity)
        {
            int half = (quantMax - quantMin) / 2;
            double step = Math.Max(Math.Abs((double)(min / -(half + 1))), Math.Abs((double)(max / half)));
            (min, max) = ((float)(step * -(half + 1)), (float)(step * half));
        }

        min = MathF.Min(min, 0);
        max = MathF.Max(max, 0);
        double scale = ((double)max - min) / (quantMax - quantMin);
        if ((float)scale == 0 || float.IsInfinity(1f / (float)scale))
            scale = 0.1;
        if (forceScalePowerOfTwo)
            scale = scale < 1 ? Math.ScaleB(1, -(int)Math.Floor(Math.Log2(1 / scale))) : Math.ScaleB(1, (int)Math.Ceiling(Math.Log2(scale)));
        if (scale < SmallScale)
            scale = EnlargeSmallScale(scale, quantMax - quantMin, ref min, ref max);

        double fromMin = quantMin - min / scale, fromMax = quantMax - max / scale;
        // FBGEMM adds in these estimates; ATen, whose results we reproduce, subtracts.
        double minError = Math.Abs(quantMin) - Math.Abs(min / scale), maxError = Math.Abs(quantMax) - Math.Abs(max / scale);
        double zeroPoint = minError < maxError ? fromMin : fromMax;
        if (min < 0 && max > 0 && preserveSparsity)
            zeroPoint = (quantMin + quantMax) / 2.0;
        return new QParams((float)scale, (int)Math.Round(Math.Clamp(zeroPoint, quantMin, quantMax), MidpointRounding.ToEven));
    }

    private static float EnlargeSmallScale(double scale, int steps, ref float min, ref float max)
    {
        if (min == 0)
        {
            max = SmallScale * steps;
        }
        else if (max == 0)
        {
            min = -SmallScale * steps;
        }
        else
        {
            float amplifier = SmallScale / (float)scale;
            min *= amplifier;
            max *= amplifier;
        }

        return SmallScale;
    }

    private static void CheckRange(float min, float max)
    {
        if (!float.IsFinite(min) || !float.IsFinite(max))
            throw new ArgumentException($"The range is {min} to {max}; expected finite numbers (the data hold a NaN or an infinity, or nothing was observed).", nameof(min));
        if (min > max)
            throw new ArgumentException($"The range is {min} to {max}; expected min at most max.", nameof(min));
    }
}
