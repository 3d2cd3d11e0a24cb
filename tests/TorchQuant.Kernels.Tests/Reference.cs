namespace TorchQuant.Kernels.Tests;

/// <summary>What every kernel must equal bit for bit: plain loops over long, no packing, no tricks.</summary>
internal static class Reference
{
    /// <summary>code = clamp(round_half_even(x / scale by the reciprocal) + zero point); NaN counts as 0.</summary>
    public static int Quantize(float x, QParams qparams, int low, int high)
    {
        float scaled = x * (1f / qparams.Scale);
        if (float.IsNaN(scaled))
            scaled = 0;
        return (int)Math.Clamp(Math.Round((double)scaled, MidpointRounding.ToEven) + qparams.ZeroPoint, low, high);
    }

    /// <summary>code = clamp(round_half_even(fma(x, 1 / scale, zero point))): dynamic activations, as libtorch's kernels round them.</summary>
    public static int QuantizeDynamic(float x, QParams qparams)
    {
        float shifted = MathF.FusedMultiplyAdd(x, 1f / qparams.Scale, qparams.ZeroPoint);
        return (int)Math.Clamp(Math.Round((double)shifted, MidpointRounding.ToEven), 0, 255);
    }

    public static float Dequantize(int code, QParams qparams) => (code - qparams.ZeroPoint) * qparams.Scale;

    /// <summary>sum[m, n] = sum over k of (a[m, k] - za) * (w[n, k] - zw[n]).</summary>
    public static long[,] Sums(byte[] a, int m, int aZeroPoint, Weights w)
    {
        var sums = new long[m, w.N];
        for (int row = 0; row < m; row++)
            for (int n = 0; n < w.N; n++)
                for (int k = 0; k < w.K; k++)
                    sums[row, n] += (long)(a[row * w.K + k] - aZeroPoint) * (w.Codes[n * w.K + k] - w.ZeroPoint(n));
        return sums;
    }

    /// <summary>y = fma(float(sum), sa * sw[n], bias[n]), plus what was there, not below 0 if asked for.</summary>
    public static float ToFloat(long sum, QParams a, float weightScale, float? bias, float? before, bool relu)
    {
        float scale = a.Scale * weightScale;
        float y = bias is null ? sum * scale : MathF.FusedMultiplyAdd(sum, scale, bias.Value);
        if (before is not null)
            y = before.Value + y;
        return relu ? MathF.Max(y, 0) : y;
    }

    /// <summary>
    /// code = clamp(round_half_even((float(sum) + bias / (sa * sw)) * (sa * sw / so)) + zo, low, high); per tensor fma(bias, 1 / (sa * sw), float(sum)) takes the place of sum and quotient.
    /// Hardswish is applied to the real number, which is then quantized.
    /// </summary>
    public static int ToByte(long sum, QParams a, float weightScale, bool perTensor, float? bias, QParams output, FusedActivation activation)
    {
        float scale = a.Scale * weightScale;
        float raw = sum;
        if (bias is not null)
            raw = perTensor ? MathF.FusedMultiplyAdd(bias.Value, 1f / scale, raw) : raw + bias.Value / scale;
        if (activation == FusedActivation.Hardswish)
            return Quantize(Hardswish(raw * scale), output, 0, 255);

        float scaled = raw * (scale / output.Scale);
        if (float.IsNaN(scaled))
            return output.ZeroPoint;
        double code = Math.Round((double)scaled, MidpointRounding.ToEven) + output.ZeroPoint;
        int low = activation == FusedActivation.None ? 0 : output.ZeroPoint;
        int high = activation == FusedActivation.Relu6 ? Quantize(6, output, 0, 255) : 255;
        return (int)Math.Clamp(code, low, high);
    }

    private static float Hardswish(float y) => y * Math.Clamp(y + 3, 0, 6) / 6;
}
