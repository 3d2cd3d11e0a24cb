namespace TorchQuant.Kernels.Tests;

/// <summary>A linear layer as a test holds it: the packed kind under test, and its product in double.</summary>
internal abstract record LinearCase(PackedLinear Packed)
{
    /// <summary>[m, N] = x [m, K] W^T + b, with what the packed kind does to x and W.</summary>
    public abstract double[,] Multiply(float[] x, int m);

    /// <summary>Weights around one over the square root of the inputs, so that gates bend but do not saturate.</summary>
    public static LinearCase Create(WeightKind kind, int outputs, int inputs, int seed, bool reduceRange = false)
    {
        float[] weights = Generators.Floats(outputs * inputs, seed, magnitude: 2 / MathF.Sqrt(inputs));
        float[] bias = Generators.Floats(outputs, seed + 1, magnitude: 0.5f);
        return kind == WeightKind.Half ? HalfCase.Create(weights, outputs, inputs, bias) : Int8Case.Create(weights, outputs, inputs, bias, kind, reduceRange);
    }
}

/// <summary>The kinds of weights that a recurrent layer may hold.</summary>
public enum WeightKind
{
    Int8PerTensor,
    Int8PerChannel,
    Half,
}

/// <summary>Int8 weights: activations are quantized with one range over all rows, the sums are exact.</summary>
internal sealed record Int8Case(PackedLinear Packed, Weights Weights, float[] Bias, bool ReduceRange) : LinearCase(Packed)
{
    public static Int8Case Create(float[] values, int outputs, int inputs, float[] bias, WeightKind kind, bool reduceRange)
    {
        float[] scales = new float[kind == WeightKind.Int8PerChannel ? outputs : 1];
        for (int i = 0; i < values.Length; i++)
        {
            int channel = scales.Length == 1 ? 0 : i / inputs;
            scales[channel] = MathF.Max(scales[channel], MathF.Abs(values[i]) / 127);
        }

        sbyte[] codes = new sbyte[values.Length];
        for (int i = 0; i < codes.Length; i++)
            codes[i] = (sbyte)MathF.Round(values[i] / scales[scales.Length == 1 ? 0 : i / inputs]);
        var weights = new Weights(codes, outputs, inputs, scales, []);
        return new Int8Case(new Int8Linear(weights.Pack(), bias, reduceRange), weights, bias, reduceRange);
    }

    public override double[,] Multiply(float[] x, int m)
    {
        QParams qparams = QParamsChooser.ForDynamic(x.Min(), x.Max(), reduceRange: ReduceRange);
        byte[] codes = [.. x.Select(value => (byte)Reference.QuantizeDynamic(value, qparams))];
        long[,] sums = Reference.Sums(codes, m, qparams.ZeroPoint, Weights);
        var result = new double[m, Weights.N];
        for (int row = 0; row < m; row++)
            for (int n = 0; n < Weights.N; n++)
                result[row, n] = (double)sums[row, n] * qparams.Scale * Weights.Scale(n) + Bias[n];
        return result;
    }
}
