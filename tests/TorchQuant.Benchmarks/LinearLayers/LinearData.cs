using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.LinearLayers;

/// <summary>
/// What all implementations of a linear layer get, and what they should give at some positions, by plain sums in 64 bits: the static layer u8 x s8 -> u8 and the dynamic layer
/// float x s8 -> float, of the same real numbers.
/// </summary>
internal sealed class LinearData
{
    private readonly int[] _positions;

    public LinearData(LinearShape shape)
    {
        Shape = shape;
        var random = new Random(1);
        Codes = Draw.ActivationCodes(shape.M * shape.K, random);
        Weights = Draw.WeightCodes(shape.N * shape.K, random);
        Scales = Draw.Scales(shape.N, random);
        Bias = Draw.Floats(shape.N, 0.5f, random);
        X = Draw.Dequantized(Codes, Draw.Activations);
        FloatWeights = Draw.Dequantized(Weights, Scales);
        // The standard deviation of a sum, times six, for the 256 codes.
        Output = new QParams((float)(6.0 / 256 * 37 * Draw.Activations.Scale * 73 * 0.00075 * Math.Sqrt(shape.K)), 128);
        _positions = Samples.Of(shape.M * shape.N, random);
        ExpectedCodes = [.. _positions.Select(p => Requantized(p, Bias[p % shape.N]))];
        ExpectedCodesWithoutBias = [.. _positions.Select(p => Requantized(p, 0))];
        ExpectedFloats = [.. _positions.Select(p => Sum(p, Codes, Draw.Activations.ZeroPoint) * Draw.Activations.Scale * (double)Scales[p % shape.N] + Bias[p % shape.N])];
    }

    public LinearShape Shape { get; }

    /// <summary>Activations [M, K], with <see cref="Draw.Activations"/>.</summary>
    public byte[] Codes { get; }

    /// <summary>The same as real numbers.</summary>
    public float[] X { get; }

    /// <summary>Weights [N, K].</summary>
    public sbyte[] Weights { get; }

    public float[] FloatWeights { get; }

    /// <summary>The weights' scales, one for each output.</summary>
    public float[] Scales { get; }

    public float[] Bias { get; }

    /// <summary>The static layer's output.</summary>
    public QParams Output { get; }

    public byte[] ExpectedCodes { get; }

    public byte[] ExpectedCodesWithoutBias { get; }

    public double[] ExpectedFloats { get; }

    /// <summary>Float sums of K products in any order: K roundings of the largest partial sum that is to be expected.</summary>
    public double FloatTolerance => 1e-5 * Math.Sqrt(Shape.K);

    /// <summary>
    /// A dynamic layer may round each activation by half a step of its scale, in 7 bits (127 steps) at worst: six standard deviations of the sum of those errors.
    /// </summary>
    public double DynamicTolerance
    {
        get
        {
            double step = (double)(X.Max() - X.Min()) / 127;
            return 6 * step / Math.Sqrt(12) * 127 / Math.Sqrt(3) * Scales.Max() * Math.Sqrt(Shape.K) + FloatTolerance;
        }
    }

    public T[] At<T>(ReadOnlySpan<T> result) => Samples.At(result, _positions);

    private byte Requantized(int position, float bias)
    {
        double real = Sum(position, Codes, Draw.Activations.ZeroPoint) * Draw.Activations.Scale * (double)Scales[position % Shape.N] + bias;
        return (byte)Math.Clamp(Math.Round(real / Output.Scale, MidpointRounding.ToEven) + Output.ZeroPoint, 0, 255);
    }

    private long Sum(int position, byte[] codes, int zeroPoint)
    {
        (int row, int column) = Math.DivRem(position, Shape.N);
        ReadOnlySpan<byte> a = codes.AsSpan(row * Shape.K, Shape.K);
        ReadOnlySpan<sbyte> w = Weights.AsSpan(column * Shape.K, Shape.K);
        long sum = 0;
        for (int k = 0; k < a.Length; k++)
            sum += (a[k] - zeroPoint) * w[k];
        return sum;
    }
}
