using BenchmarkDotNet.Attributes;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>What passes over memory once.</summary>
public class ElementwiseBenchmarks
{
    private readonly QParams _output = new(0.0213f, 128);
    private byte[] _a = [], _b = [], _codes = [];
    private float[] _x = [], _floats = [];
    private CodeTable _table = null!;

    [Params(4096, 200_704)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var random = new Random(1);
        (_a, _b, _codes) = (Draw.ActivationCodes(Length, random), Draw.ActivationCodes(Length, random), new byte[Length]);
        (_x, _floats) = (Draw.Dequantized(_a, Draw.Activations), new float[Length]);
        _table = CodeTable.FromFunction(x => 1 / (1 + MathF.Exp(-x)), Draw.Activations, new QParams(1f / 256, 0));
    }

    [Benchmark]
    public void Quantize() => Quantizer.Quantize(_x, _codes, Draw.Activations);

    [Benchmark]
    public void Dequantize() => Quantizer.Dequantize(_a, _floats, Draw.Activations);

    [Benchmark]
    public (float Min, float Max) Range() => MinMax.Of(_x);

    [Benchmark]
    public void Add() => Int8Add.Add(_a, Draw.Activations, _b, Draw.Activations, _codes, _output);

    [Benchmark]
    public void Multiply() => Int8Mul.Multiply(_a, Draw.Activations, _b, Draw.Activations, _codes, _output);

    [Benchmark]
    public void Table() => _table.Apply(_a, _codes);
}
