using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Convolution;

/// <summary>What all implementations of a convolution with ReLU get, and what they should give at some positions, by plain sums in 64 bits.</summary>
internal sealed class ConvData
{
    /// <summary>Positions of the output, channels last.</summary>
    private readonly int[] _positions;

    public ConvData(ConvShape shape)
    {
        Shape = shape;
        var random = new Random(1);
        Codes = Draw.ActivationCodes(shape.InputLength, random);
        Weights = Draw.WeightCodes(shape.WeightLength, random);
        Scales = Draw.Scales(shape.Out, random);
        Bias = Draw.Floats(shape.Out, 0.5f, random);
        int depth = shape.InPerGroup * shape.Kernel * shape.Kernel;
        FloatTolerance = 1e-5 * Math.Sqrt(depth);
        // Three standard deviations of a sum for the 256 codes: what ReLU leaves.
        Output = new QParams((float)(3.0 / 256 * 37 * Draw.Activations.Scale * 73 * 0.00075 * Math.Sqrt(depth)), 0);
        _positions = Samples.Of(shape.OutputLength, random);
        ExpectedFloats = [.. _positions.Select(p => Math.Max(0, Real(p)))];
        ExpectedCodes = [.. ExpectedFloats.Select(y => (byte)Math.Clamp(Math.Round(y / Output.Scale, MidpointRounding.ToEven), 0, 255))];
    }

    public ConvShape Shape { get; }

    /// <summary>Activations, channels last, with <see cref="Draw.Activations"/>.</summary>
    public byte[] Codes { get; }

    /// <summary>Weights [out, in / groups, kernel, kernel].</summary>
    public sbyte[] Weights { get; }

    public float[] Scales { get; }

    public float[] Bias { get; }

    public QParams Output { get; }

    public byte[] ExpectedCodes { get; }

    public double[] ExpectedFloats { get; }

    public double FloatTolerance { get; }

    public float[] X() => Draw.Dequantized(Codes, Draw.Activations);

    public float[] FloatWeights() => Draw.Dequantized(Weights, Scales);

    public T[] AtChannelsLast<T>(ReadOnlySpan<T> result) => Samples.At(result, _positions);

    public T[] AtChannelsFirst<T>(ReadOnlySpan<T> result) => Samples.At(result, Array.ConvertAll(_positions, ChannelsFirst));

    /// <summary>[n, h, w, c] to [n, c, h, w].</summary>
    public static T[] ToChannelsFirst<T>(T[] values, int batch, int size, int channels)
    {
        int area = size * size;
        var moved = new T[values.Length];
        for (int n = 0; n < batch; n++)
        {
            for (int p = 0; p < area; p++)
            {
                for (int c = 0; c < channels; c++)
                    moved[(n * channels + c) * area + p] = values[(n * area + p) * channels + c];
            }
        }

        return moved;
    }

    private int ChannelsFirst(int position)
    {
        int area = Shape.OutSize * Shape.OutSize;
        (int pixel, int channel) = Math.DivRem(position, Shape.Out);
        (int image, int inImage) = Math.DivRem(pixel, area);
        return (image * Shape.Out + channel) * area + inImage;
    }

    private double Real(int position)
    {
        (int pixel, int output) = Math.DivRem(position, Shape.Out);
        (int row, int x) = Math.DivRem(pixel, Shape.OutSize);
        (int image, int y) = Math.DivRem(row, Shape.OutSize);
        int inputs = Shape.InPerGroup, kernel = Shape.Kernel, firstInput = output / (Shape.Out / Shape.Groups) * inputs;
        long sum = 0;
        for (int ky = 0; ky < kernel; ky++)
        {
            for (int kx = 0; kx < kernel; kx++)
            {
                int iy = y * Shape.Stride + ky - Shape.Padding, ix = x * Shape.Stride + kx - Shape.Padding;
                if (iy < 0 || ix < 0 || iy >= Shape.Size || ix >= Shape.Size)
                    continue;
                int at = ((image * Shape.Size + iy) * Shape.Size + ix) * Shape.In + firstInput;
                for (int c = 0; c < inputs; c++)
                    sum += (Codes[at + c] - Draw.Activations.ZeroPoint) * Weights[((output * inputs + c) * kernel + ky) * kernel + kx];
            }
        }

        return sum * (double)Draw.Activations.Scale * Scales[output] + Bias[output];
    }
}
