using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A <see cref="Linear"/> with its batch norm in quantization-aware training, on inputs [batch, features]: see <see cref="QatNormModule"/>.</summary>
public sealed class QatLinearBn : QatNormModule
{
    private QatLinearBn(LinearBn1d module, QConfig qconfig, string path) : base(nameof(QatLinearBn), module, WeightFakeQuant(qconfig, path, module.First.weight.shape))
    {
    }

    /// <summary>Takes a Linear with its batch norm over.</summary>
    /// <param name="module">The float module, which stays as it is and in use.</param>
    /// <param name="qconfig">Makes the fake quantizer of the weight.</param>
    /// <param name="path">The module's dotted path, for messages.</param>
    /// <exception cref="ArgumentException">The qconfig is none for quantization-aware training.</exception>
    public static QatLinearBn from_float(LinearBn1d module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        return new(module, qconfig, path);
    }

    /// <inheritdoc/>
    private protected override (Tensor Weight, Tensor? Bias) Weights => (((Linear)First).weight, ((Linear)First).bias);

    /// <inheritdoc/>
    private protected override Tensor Apply(Tensor input, Tensor weight, Tensor? bias)
    {
        var linear = (Linear)First;
        if (input.dim() != 2 || input.size(1) != linear.in_features)
            throw WrongShape(input, $"[batch, {linear.in_features}]");
        return nn.functional.linear(input, weight, bias);
    }
}
