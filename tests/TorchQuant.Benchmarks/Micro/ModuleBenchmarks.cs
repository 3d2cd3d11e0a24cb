using BenchmarkDotNet.Attributes;
using TorchQuant.Benchmarks.Data;
using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Benchmarks.Micro;

/// <summary>What an int8 module costs over its kernel: shapes so small that the kernel takes less than the way to it. The output is disposed in each call, as a model does.</summary>
public class ModuleBenchmarks
{
    private const int Features = 64, Channels = 16, Size = 7;

    private readonly QParams _output = new(0.1f, 128);
    private nn.Module<Tensor, Tensor> _linear = null!, _convolution = null!, _dynamic = null!;
    private Tensor _row = null!, _picture = null!, _real = null!;
    private PackedWeights _weights = null!;
    private PackedConvolution _kernel = null!;
    private Int8Linear _dynamicKernel = null!;
    private byte[] _codes = [], _result = [];
    private float[] _x = [], _y = [], _bias = [];

    [GlobalSetup]
    public void Prepare()
    {
        set_num_threads(1);
        var random = new Random(1);
        (_codes, _result) = (Draw.ActivationCodes(Channels * Size * Size, random), new byte[Channels * Size * Size]);
        (_x, _y, _bias) = (Draw.Floats(Features, 1, random), new float[Features], Draw.Floats(Features, 1, random));
        _weights = PackedWeights.Pack(Draw.WeightCodes(Features * Features, random), Features, Features, Draw.Scales(Features, random));
        _dynamicKernel = new Int8Linear(_weights, _bias, reduceRange: false);
        var shape = new ConvolutionShape(Channels, Channels, [1, 1]);
        _kernel = PackedConvolution.Pack(Draw.WeightCodes(Channels * Channels, random), shape, Draw.Scales(Channels, random));
        (_linear, _row) = Converted(nn.Linear(Features, Features), rand(1, Features));
        (_convolution, _picture) = Converted(nn.Conv2d(Channels, Channels, 1), rand(1, Channels, Size, Size));
        _real = rand(1, Features);
        _dynamic = (nn.Module<Tensor, Tensor>)quantization.quantize_dynamic(nn.Sequential(("linear", nn.Linear(Features, Features))), [typeof(Linear)]).children().First();
    }

    [Benchmark]
    public void LinearKernel() => Int8Gemm.MultiplyToByte(_codes.AsSpan(0, Features), 1, Draw.Activations, _weights, _bias, _output, FusedActivation.None, _result.AsSpan(0, Features));

    [Benchmark]
    public void LinearModule() => _linear.call(_row).Dispose();

    [Benchmark]
    public void ConvolutionKernel() => Int8Convolution.Run(_codes, 1, [Size, Size], Draw.Activations, _kernel, null, _output, FusedActivation.None, _result);

    [Benchmark]
    public void ConvolutionModule() => _convolution.call(_picture).Dispose();

    [Benchmark]
    public void DynamicKernel() => _dynamicKernel.Multiply(_x, 1, _y);

    [Benchmark]
    public void DynamicModule() => _dynamic.call(_real).Dispose();

    /// <summary>The int8 form of a layer, and an int8 input as the module before it gives.</summary>
    private static (nn.Module<Tensor, Tensor> Module, Tensor Input) Converted(nn.Module<Tensor, Tensor> layer, Tensor x)
    {
        using var noGrad = no_grad();
        var model = nn.Sequential(("quant", new QuantStub()), ("layer", layer), ("dequant", new DeQuantStub()));
        model.eval();
        model.qconfig = quantization.get_default_qconfig();
        var prepared = quantization.prepare(model);
        prepared.call(x).Dispose();
        var modules = quantization.convert(prepared).children().ToArray();
        return ((nn.Module<Tensor, Tensor>)modules[1], ((nn.Module<Tensor, Tensor>)modules[0]).call(x));
    }
}
