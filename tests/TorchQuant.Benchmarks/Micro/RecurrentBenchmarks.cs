using BenchmarkDotNet.Attributes;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>A layer of an LSTM and of a GRU over eight steps.</summary>
public class RecurrentBenchmarks
{
    private const int Steps = 8, LstmGates = 4, GruGates = 3;

    private (Int8Linear Input, Int8Linear Hidden) _lstm, _gru;
    private float[] _x = [], _h = [], _c = [], _y = [];
    private int[] _batchSizes = [];

    [Params(256, 1024)]
    public int Hidden { get; set; }

    [Params(1, 20)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(1);
        (_lstm, _gru) = (Cell(LstmGates), Cell(GruGates));
        (_x, _h, _c, _y) = (Draw.Floats(Steps * Batch * Hidden, 1, random), new float[Batch * Hidden], new float[Batch * Hidden], new float[Steps * Batch * Hidden]);
        _batchSizes = [.. Enumerable.Repeat(Batch, Steps)];

        (Int8Linear Input, Int8Linear Hidden) Cell(int gates) => (Layer(gates), Layer(gates));

        Int8Linear Layer(int gates) => new(PackedWeights.Pack(Draw.WeightCodes(gates * Hidden * Hidden, random), gates * Hidden, Hidden, [0.0005f]), Draw.Floats(gates * Hidden, 0.1f, random), reduceRange: false);
    }

    [Benchmark]
    public void Lstm() => LstmLayer.Run(_x, _batchSizes, _lstm.Input, _lstm.Hidden, _h, _c, _y, Hidden);

    [Benchmark]
    public void Gru() => GruLayer.Run(_x, _batchSizes, _gru.Input, _gru.Hidden, _h, _y, Hidden);
}
