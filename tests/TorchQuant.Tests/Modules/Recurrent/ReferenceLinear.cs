namespace TorchQuant.Tests.Modules.Recurrent;

/// <summary>y = W x + b as dynamic quantization defines it, in the plainest form: every input range is that of the whole call.</summary>
/// <param name="codes">Weight rows: int8 codes, or the weights themselves when <paramref name="scales"/> is null (float16).</param>
/// <param name="scales">One scale per row.</param>
/// <param name="bias">One per row, zeros for none.</param>
/// <param name="reduceRange">Activations in 0..127 instead of 0..255.</param>
internal sealed class ReferenceLinear(double[][] codes, float[]? scales, double[] bias, bool reduceRange)
{
    private const float SmallestScale = 6.1e-5f;

    public int OutFeatures => codes.Length;

    public double[][] Multiply(float[][] x, Roundings roundings)
    {
        if (scales is null)
            return [.. x.Select(row => codes.Select((w, n) => Dot(w, row, 1, 0) + bias[n]).ToArray())];
        var (scale, zeroPoint) = Parameters(x, reduceRange, roundings);
        return [.. x.Select(row =>
        {
            var quantized = row.Select(value => (float)Quantize(value, scale, zeroPoint, roundings)).ToArray();
            return codes.Select((w, n) => Dot(w, quantized, 1, zeroPoint) * ((double)scale * scales[n]) + bias[n]).ToArray();
        })];
    }

    private static double Dot(double[] w, float[] x, double factor, int zeroPoint)
    {
        double sum = 0;
        for (var k = 0; k < w.Length; k++)
            sum += w[k] * (x[k] - zeroPoint) * factor;
        return sum;
    }

    /// <summary>facts 1.2: the smaller error of the two candidate zero points decides; scales have a floor.</summary>
    internal static (float Scale, int ZeroPoint) Parameters(float[][] x, bool reduceRange, Roundings roundings)
    {
        var (min, max) = (0f, 0f);
        foreach (var value in x.SelectMany(row => row))
            (min, max) = (MathF.Min(min, value), MathF.Max(max, value));
        var top = reduceRange ? 127 : 255;
        var scale = ((double)max - min) / top;
        if ((float)scale == 0)
            scale = 0.1;
        if (scale < SmallestScale)
        {
            var old = scale;
            scale = SmallestScale;
            if (min == 0)
                max = (float)(scale * top);
            else if (max == 0)
                min = -(float)(scale * top);
            else
                (min, max) = ((float)(min * (SmallestScale / old)), (float)(max * (SmallestScale / old)));
        }
        var (fromMin, fromMax) = (-min / scale, top - max / scale);
        var zeroPoint = Math.Abs(min / scale) < top + Math.Abs(max / scale) ? fromMin : fromMax;
        roundings.Note(zeroPoint);
        return ((float)scale, (int)Math.Clamp(Math.Round(zeroPoint), 0, top));
    }

    // As libtorch packs dynamic activations: the zero point is added before rounding, which decides exact ties.
    private static int Quantize(float value, float scale, int zeroPoint, Roundings roundings)
    {
        var code = MathF.FusedMultiplyAdd(value, 1f / scale, zeroPoint);
        roundings.Note(code);
        return (int)Math.Clamp(MathF.Round(code), 0, 255);
    }
}

/// <summary>How near the values that were rounded came to a tie. Two right computations that differ in the seventh digit may round such a
/// value to different codes, and then differ by a whole step: a comparison to 1e-6 holds where no value came near.</summary>
internal sealed class Roundings
{
    /// <summary>What one code that was rounded the other way can change in the outputs of the tests' small modules: a step is 1/127 of a range of about 3, times a
    /// weight below 1, or a step of a layer's input in all gates at once.</summary>
    public const double StepBound = 0.05;

    /// <summary>Distance from the nearest tie, 0 to 0.5, of the value that came nearest.</summary>
    public double Nearest { get; private set; } = 0.5;

    /// <summary>Whether float errors (about 1e-7 of the range, 255 codes) cannot have changed a code.</summary>
    public bool Clear => Nearest > 3e-4;

    public void Note(double value) => Nearest = Math.Min(Nearest, Math.Abs(value - Math.Floor(value) - 0.5));
}
