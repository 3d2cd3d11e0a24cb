using BenchmarkDotNet.Attributes;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>The integer product with each of its epilogues, and the dynamic layer; K = N.</summary>
public class GemmBenchmarks
{
    private byte[] _codes = [], _bytes = [];
    private float[] _x = [], _floats = [], _bias = [];
    private int[] _sums = [];
    private PackedWeights _weights = null!;
    private Int8Linear _linear = null!;

    [Params(1, 16, 128)]
    public int M { get; set; }

    [Params(256, 1024)]
    public int K { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(1);
        _codes = Draw.ActivationCodes(M * K, random);
        _x = Draw.Dequantized(_codes, Draw.Activations);
        _bias = Draw.Floats(K, 1, random);
        _weights = PackedWeights.Pack(Draw.WeightCodes(K * K, random), K, K, Draw.Scales(K, random));
        _linear = new Int8Linear(_weights, _bias, reduceRange: false);
        (_bytes, _floats, _sums) = (new byte[M * K], new float[M * K], new int[M * K]);
    }

    [Benchmark(Baseline = true)]
    public void ToInt32() => Int8Gemm.MultiplyToInt32(_codes, M, Draw.Activations.ZeroPoint, _weights, _sums);

    [Benchmark]
    public void ToByte() => Int8Gemm.MultiplyToByte(_codes, M, Draw.Activations, _weights, _bias, new QParams(0.1f, 128), FusedActivation.None, _bytes);

    [Benchmark]
    public void ToFloat() => Int8Gemm.MultiplyToFloat(_codes, M, Draw.Activations, _weights, _bias, _floats);

    [Benchmark]
    public void Dynamic() => _linear.Multiply(_x, M, _floats);
}
