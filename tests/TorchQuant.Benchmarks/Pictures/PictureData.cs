using TorchQuant.Benchmarks.Data;
using TorchQuant.Benchmarks.Onnx;
using TorchQuant.Benchmarks.Races;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Pictures;

/// <summary>The pictures of an operation, and its results at some positions in double precision.</summary>
internal sealed class PictureData
{
    public static readonly QParams Second = new(0.015f, 70);

    private readonly int[] _positions;
    private readonly byte[] _expected;

    public PictureData(PictureOperation operation)
    {
        Operation = operation;
        var random = new Random(1);
        (A, B) = (Draw.ActivationCodes(operation.InputLength, random), Draw.ActivationCodes(operation.InputLength, random));
        _positions = Samples.Of(operation.OutputLength, random);
        _expected = Array.ConvertAll(_positions, Expected);
    }

    public PictureOperation Operation { get; }

    /// <summary>[height, width, channels].</summary>
    public byte[] A { get; }

    public byte[] B { get; }

    public double Real(int y, int x, int c) => Draw.Activations.Scale * (double)(A[Index(y, x, c)] - Draw.Activations.ZeroPoint);

    public double RealOfSecond(int y, int x, int c) => Second.Scale * (double)(B[Index(y, x, c)] - Second.ZeroPoint);

    /// <summary>The positions of a window that lie in the picture.</summary>
    public IEnumerable<(int Y, int X)> Window(int y, int x, int kernel, int stride, int padding) =>
        from row in Enumerable.Range(y * stride - padding, kernel)
        from column in Enumerable.Range(x * stride - padding, kernel)
        where row >= 0 && row < Operation.Size && column >= 0 && column < Operation.Size
        select (row, column);

    /// <summary>Twice the size, pixels as areas.</summary>
    public double Interpolated(int y, int x, int c)
    {
        (int top, int bottom, double down) = Place(y);
        (int left, int right, double across) = Place(x);
        return (1 - down) * ((1 - across) * Real(top, left, c) + across * Real(top, right, c)) + down * ((1 - across) * Real(bottom, left, c) + across * Real(bottom, right, c));
    }

    public Agreement CheckChannelsLast(string name, ReadOnlySpan<byte> found) => Agreement.OfCodes(name, _expected, Samples.At(found, _positions), allowed: 1);

    public Agreement CheckChannelsFirst(string name, ReadOnlySpan<byte> found)
    {
        int pixels = Operation.OutSize * Operation.OutSize;
        return Agreement.OfCodes(name, _expected, Samples.At(found, Array.ConvertAll(_positions, p => p % Operation.OutChannels * pixels + p / Operation.OutChannels)), allowed: 1);
    }

    public byte[] ToChannelsFirst(byte[] channelsLast)
    {
        int pixels = Operation.Size * Operation.Size, channels = Operation.Channels;
        byte[] result = new byte[channelsLast.Length];
        for (int i = 0; i < result.Length; i++)
            result[i % channels * pixels + i / channels] = channelsLast[i];
        return result;
    }

    public long[] Shape(int channels, int size, bool channelsLast) => channelsLast ? [1, size, size, channels] : [1, channels, size, size];

    /// <summary>Scale and zero point of x, then of y.</summary>
    public string[] Params(OnnxGraph graph) => [.. XParams(graph), .. OutputParams(graph)];

    public string[] XParams(OnnxGraph graph) => Params(graph, "x", Draw.Activations);

    public string[] SecondParams(OnnxGraph graph) => Params(graph, "b", Second);

    public string[] OutputParams(OnnxGraph graph) => Params(graph, "y", Operation.Output);

    private static string[] Params(OnnxGraph graph, string name, QParams qparams) => [graph.Scalar($"{name}_scale", qparams.Scale), graph.Scalar($"{name}_zero_point", (byte)qparams.ZeroPoint)];

    private int Index(int y, int x, int c) => (y * Operation.Size + x) * Operation.Channels + c;

    private (int First, int Next, double Weight) Place(int output)
    {
        double place = Math.Max(0, (output + 0.5) / 2 - 0.5);
        return ((int)place, Math.Min((int)place + 1, Operation.Size - 1), place - (int)place);
    }

    private byte Expected(int position)
    {
        (int c, int x, int y) = (position % Operation.OutChannels, position / Operation.OutChannels % Operation.OutSize, position / Operation.OutChannels / Operation.OutSize);
        double code = Math.Round(Operation.Real(this, y, x, c) / Operation.Output.Scale, MidpointRounding.ToEven) + Operation.Output.ZeroPoint;
        return (byte)Math.Clamp(code, byte.MinValue, byte.MaxValue);
    }
}
