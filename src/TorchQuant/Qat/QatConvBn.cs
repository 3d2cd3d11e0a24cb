using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A convolution of 1, 2 or 3 dimensions with its batch norm, and a ReLU or ReLU6 where it was fused, in quantization-aware training: see <see cref="QatNormModule"/>.</summary>
public sealed class QatConvBn : QatNormModule
{
    private QatConvBn(nn.Module<Tensor, Tensor> module, Convolution conv, QConfig qconfig, string path) : base(nameof(QatConvBn), module, WeightFakeQuant(qconfig, path, conv.weight.shape))
    {
    }

    /// <summary>Takes a convolution with its batch norm over.</summary>
    /// <typeparam name="TConvolution">Conv1d, Conv2d or Conv3d.</typeparam>
    /// <typeparam name="TNorm">BatchNorm1d, BatchNorm2d or BatchNorm3d.</typeparam>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Makes the fake quantizer of the weight.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The qconfig is none for quantization-aware training.</exception>
    public static QatConvBn from_float<TConvolution, TNorm>(FusedNormModule<TConvolution, TNorm> module, QConfig qconfig, string path = "")
        where TConvolution : Convolution where TNorm : BatchNorm
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, module.First, qconfig, path);
    }

    /// <inheritdoc/>
    private protected override (Tensor Weight, Tensor? Bias) Weights => (((Convolution)First).weight, ((Convolution)First).bias);

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor input, Tensor weight, Tensor? bias)
    {
        var conv = (Convolution)First;
        if (!FloatConvolution.Takes(conv, input) || input.dim() != conv.kernel_size.Length + 2)
            throw WrongShape(input, $"[batch, {conv.in_channels}, ...] with {conv.kernel_size.Length} spatial dimensions");
        return FloatConvolution.Run(conv, input, weight, bias);
    }
}
