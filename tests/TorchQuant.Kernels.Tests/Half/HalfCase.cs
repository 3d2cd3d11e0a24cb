namespace TorchQuant.Kernels.Tests;

/// <summary>Float16 weights: products and sums in double of the weights as stored.</summary>
internal sealed record HalfCase(HalfLinear Half, double[] Weights, float[] Bias) : LinearCase(Half)
{
    public static HalfCase Create(float[] values, int outputs, int inputs, float[]? bias) => new(
        HalfLinear.Pack(values, outputs, inputs, bias), [.. values.Select(value => (double)(Half)Math.Clamp(value, -65504, 65504))], bias ?? []);

    public override double[,] Multiply(float[] x, int m) => Multiply(x, m, value => value);

    /// <summary>The sums of the magnitudes of what is added, for bounds of the rounding.</summary>
    public double[,] Magnitudes(float[] x, int m) => Multiply(x, m, Math.Abs);

    private double[,] Multiply(float[] x, int m, Func<double, double> of)
    {
        int outputs = Half.OutFeatures, inputs = Half.InFeatures;
        var result = new double[m, outputs];
        for (int row = 0; row < m; row++)
        {
            for (int n = 0; n < outputs; n++)
            {
                result[row, n] = Bias.Length == 0 ? 0 : of(Bias[n]);
                for (int k = 0; k < inputs; k++)
                    result[row, n] += of(x[row * inputs + k] * Weights[n * inputs + k]);
            }
        }

        return result;
    }
}
