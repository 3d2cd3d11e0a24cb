using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A convolution of 1, 2 or 3 dimensions, transposed or not, in quantization-aware training, with a fused activation where there is one: y = fake_quant(activation(conv(x, fake_quant(W)) + b)).
/// The scales of a transposed convolution are those of its output channels too.
/// </summary>
public sealed class QatConvolution : QatModule
{
    private QatConvolution(nn.Module<Tensor, Tensor> module, QConfig qconfig, string path)
        : base(nameof(QatConvolution), module, WeightFakeQuant(qconfig, path, OutputsFirstShape(ConvolutionOf(module))))
    {
    }

    /// <summary>Takes a convolution over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Makes the fake quantizer of the weight.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The qconfig is none for quantization-aware training.</exception>
    public static QatConvolution from_float(Convolution module, QConfig qconfig, string path = "") => Of(module, qconfig, path);

    /// <summary>Takes a convolution with its activation over.</summary>
    /// <typeparam name="TConvolution">Conv1d, Conv2d or Conv3d.</typeparam>
    /// <typeparam name="TActivation">ReLU, ReLU6 or Hardswish.</typeparam>
    /// <inheritdoc cref="from_float(Convolution, QConfig, string)"/>
    public static QatConvolution from_float<TConvolution, TActivation>(FusedModule<TConvolution, TActivation> module, QConfig qconfig, string path = "")
        where TConvolution : Convolution where TActivation : nn.Module<Tensor, Tensor> => Of(module, qconfig, path);

    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor>? FusedActivation => (module as IFusedModule)?.Activation;

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var conv = ConvolutionOf(module);
        if (!FloatConvolution.Takes(conv, input))
            throw WrongShape(input, $"[batch, {conv.in_channels}, ...] or [{conv.in_channels}, ...] with {conv.kernel_size.Length} spatial dimensions");
        using var weight = conv.transposed ? FakeQuantTransposed(conv) : weight_fake_quant.forward(conv.weight);
        return FloatConvolution.Run(conv, input, weight, conv.bias);
    }

    /// <summary>[in, out / groups, k...] is [groups, in / groups, out / groups, k...]: its fake quantizer sees [out, in / groups, k...].</summary>
    private Tensor FakeQuantTransposed(Convolution conv)
    {
        var (groups, outputs, shape) = (conv.groups, OutputsFirstShape(conv), conv.weight.shape);
        using var grouped = conv.weight.reshape([groups, shape[0] / groups, .. shape[1..]]);
        using var turned = grouped.transpose(1, 2);
        using var outputsFirst = turned.reshape(outputs);
        using var moved = weight_fake_quant.forward(outputsFirst);
        using var regrouped = moved.reshape([groups, outputs[0] / groups, .. outputs[1..]]);
        using var back = regrouped.transpose(1, 2);
        return back.reshape(shape);
    }

    private static long[] OutputsFirstShape(Convolution conv)
    {
        var shape = conv.weight.shape;
        return conv.transposed ? [conv.out_channels, shape[0] / conv.groups, .. shape[2..]] : shape;
    }

    private static Convolution ConvolutionOf(nn.Module module) => (Convolution)((module as IFusedModule)?.First ?? module);

    private static QatConvolution Of(nn.Module<Tensor, Tensor> module, QConfig qconfig, string path)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, qconfig, path);
    }
}
