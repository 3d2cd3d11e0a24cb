using BenchmarkDotNet.Attributes;
using TorchQuant.Benchmarks.Convolution;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>One convolution of each kind.</summary>
public class ConvolutionBenchmarks
{
    private ConvShape _shape = null!;
    private PackedConvolution _weights = null!;
    private byte[] _input = [], _output = [];
    private float[] _bias = [];
    private int[] _size = [];

    public static IEnumerable<string> Kinds => s_shapes.Keys;

    private static readonly Dictionary<string, ConvShape> s_shapes = new[]
    {
        new ConvShape(1, 3, 64, 7, 2, 224), new ConvShape(1, 64, 64, 3, 1, 56), new ConvShape(1, 256, 64, 1, 1, 56), new ConvShape(1, 144, 144, 3, 1, 56, 144), new ConvShape(1, 144, 144, 3, 2, 56, 144),
    }.ToDictionary(shape => shape.ToString());

    [ParamsSource(nameof(Kinds))]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _shape = s_shapes[Kind];
        var random = new Random(1);
        var shape = new ConvolutionShape(_shape.In, _shape.Out, [_shape.Kernel, _shape.Kernel], [_shape.Stride, _shape.Stride], [_shape.Padding, _shape.Padding], groups: _shape.Groups);
        _weights = PackedConvolution.Pack(Draw.WeightCodes(_shape.WeightLength, random), shape, Draw.Scales(_shape.Out, random));
        (_input, _output, _bias, _size) = (Draw.ActivationCodes(_shape.InputLength, random), new byte[_shape.OutputLength], Draw.Floats(_shape.Out, 1, random), [_shape.Size, _shape.Size]);
    }

    [Benchmark]
    public void Run() => Int8Convolution.Run(_input, _shape.Batch, _size, Draw.Activations, _weights, _bias, new QParams(0.1f, 0), FusedActivation.Relu, _output);
}
