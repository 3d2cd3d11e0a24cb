using TorchQuant.Kernels;

namespace TorchQuant.Benchmarks.Models;

/// <summary>A step of a converted CNN: computes the value <paramref name="Output"/>, whose codes have <paramref name="Codes"/>.</summary>
internal abstract record CnnStep(string Output, QParams Codes);

/// <summary>Float images become codes.</summary>
internal sealed record QuantizeStep(string Output, string Input, QParams Codes) : CnnStep(Output, Codes);

/// <summary>A convolution, with ReLU or ReLU6 where <paramref name="Relu"/> says so: as codes both clamp at the zero point 0, and the scale makes 255 the 6.</summary>
internal sealed record ConvStep(string Output, string Input, QParams InputCodes, LayerWeights Weights, int Stride, int Padding, int Groups, ReluKind Relu, QParams Codes) : CnnStep(Output, Codes);

/// <summary>A sum, with ReLU if asked for.</summary>
internal sealed record AddStep(string Output, string Left, QParams LeftCodes, string Right, QParams RightCodes, bool Relu, QParams Codes) : CnnStep(Output, Codes);

/// <summary>The largest of 3 x 3, stride 2, padding 1.</summary>
internal sealed record MaxPoolStep(string Output, string Input, QParams Codes) : CnnStep(Output, Codes);

/// <summary>The mean over the image, flattened.</summary>
internal sealed record AveragePoolStep(string Output, string Input, QParams Codes) : CnnStep(Output, Codes);

/// <summary>The linear layer.</summary>
internal sealed record LinearStep(string Output, string Input, QParams InputCodes, LayerWeights Weights, QParams Codes) : CnnStep(Output, Codes);

/// <summary>Codes become float scores.</summary>
internal sealed record DequantizeStep(string Output, string Input, QParams Codes) : CnnStep(Output, Codes);

/// <summary>What a convolution's results go through.</summary>
internal enum ReluKind
{
    None,
    Relu,
    Relu6,
}
