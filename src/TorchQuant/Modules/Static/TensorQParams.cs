using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Scale and zero point of a tensor that is quantized with one of each.</summary>
internal static class TensorQParams
{
    public static QParams Of(Tensor quantized) => new((float)quantized.q_scale(), (int)quantized.q_zero_point());
}
