using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A <see cref="Linear"/> in quantization-aware training, with a fused activation where there is one: y = fake_quant(activation(x fake_quant(W)^T + b)).</summary>
public sealed class QatLinear : QatModule
{
    private QatLinear(nn.Module<Tensor, Tensor> module, QConfig qconfig, string path) : base(nameof(QatLinear), module, WeightFakeQuant(qconfig, path, LinearOf(module).weight.shape))
    {
    }

    /// <summary>Takes a Linear over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Makes the fake quantizer of the weight.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The qconfig is none for quantization-aware training.</exception>
    public static QatLinear from_float(Linear module, QConfig qconfig, string path = "") => Of(module, qconfig, path);

    /// <summary>Takes a Linear with its ReLU over.</summary>
    /// <inheritdoc cref="from_float(Linear, QConfig, string)"/>
    public static QatLinear from_float(LinearReLU module, QConfig qconfig, string path = "") => Of(module, qconfig, path);

    /// <summary>Takes a Linear with its ReLU6 over.</summary>
    /// <inheritdoc cref="from_float(Linear, QConfig, string)"/>
    public static QatLinear from_float(LinearReLU6 module, QConfig qconfig, string path = "") => Of(module, qconfig, path);

    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor>? FusedActivation => (module as IFusedModule)?.Activation;

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var linear = LinearOf(module);
        if (input.dim() == 0 || input.shape[^1] != linear.in_features)
            throw WrongShape(input, $"[..., {linear.in_features}]");
        using var weight = weight_fake_quant.forward(linear.weight);
        return nn.functional.linear(input, weight, linear.bias);
    }

    private static Linear LinearOf(nn.Module module) => (Linear)((module as IFusedModule)?.First ?? module);

    private static QatLinear Of(nn.Module<Tensor, Tensor> module, QConfig qconfig, string path)
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, qconfig, path);
    }
}
