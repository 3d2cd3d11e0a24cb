using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>
/// Folds a batch norm in eval mode into the module before it. With k = gamma / sqrt(running_var + eps), for each output channel:
/// W' = W k and b' = (b - running_mean) k + beta (no bias: b = 0; not affine: gamma = 1, beta = 0). The order of the operations is that of PyTorch's
/// <c>fuse_conv_bn_weights</c>, so that the weights are the same to the last bit.
/// </summary>
internal static class BatchNormFolding
{
    /// <summary>A new convolution, transposed or not, that computes norm(conv(x)).</summary>
    public static TConv Fold<TConv>(TConv conv, BatchNorm norm) where TConv : Convolution
    {
        var folded = ModuleTree.Copy(conv);
        var (weight, bias) = Fold(conv.weight, conv.bias, norm, scale => OverOutputs(scale, conv));
        (folded.weight, folded.bias) = (weight, bias);
        return folded;
    }

    /// <summary>A new Linear that computes norm(linear(x)).</summary>
    public static Linear Fold(Linear linear, BatchNorm norm)
    {
        var folded = ModuleTree.Copy(linear);
        var (weight, bias) = Fold(linear.weight, linear.bias, norm, scale => linear.weight * scale.unsqueeze(1));
        (folded.weight, folded.bias) = (weight, bias);
        return folded;
    }

    private static (Parameter Weight, Parameter Bias) Fold(Parameter weight, Parameter? bias, BatchNorm norm, Func<Tensor, Tensor> scaled)
    {
        using var grad = no_grad();
        using var scope = NewDisposeScope();
        var (mean, inverse) = (norm.running_mean!, (norm.running_var! + norm.eps).rsqrt());
        var gamma = norm.affine ? norm.weight : ones_like(mean);
        var beta = norm.affine ? norm.bias! : zeros_like(mean);
        var newWeight = scaled(gamma * inverse).to(weight.dtype);
        var newBias = (((bias ?? zeros_like(mean)) - mean) * inverse * gamma + beta).to(bias?.dtype ?? weight.dtype);
        return (Parameter(newWeight, weight.requires_grad), Parameter(newBias, bias?.requires_grad ?? weight.requires_grad));
    }

    /// <summary>The weight times the scale of its output channel: axis 0, or, where transposed, axis 1 within each group of input channels.</summary>
    private static Tensor OverOutputs(Tensor scale, Convolution conv)
    {
        var shape = conv.weight.shape;
        long[] kernel = [.. conv.kernel_size.Select(_ => 1L)];
        if (!conv.transposed) return conv.weight * scale.reshape([-1, 1, .. kernel]);
        using var grouped = conv.weight.reshape([conv.groups, shape[0] / conv.groups, .. shape[1..]]);
        return (grouped * scale.reshape([conv.groups, 1, shape[1], .. kernel])).reshape(shape);
    }

    private static Parameter Parameter(Tensor value, bool requiresGrad) => (Parameter)new Parameter(value.DetachFromDisposeScope(), requiresGrad).DetachFromDisposeScope();
}
