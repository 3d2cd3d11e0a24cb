using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// The base of the modules of quantization-aware training that hold a batch norm which is folded at conversion (Jacob et al. 2018, section 3.2). With k = gamma / sqrt(running_var + eps) for each output channel, the weight
/// that is moved to the grid is the folded one, W k. While the batch norm trains: y = norm(f(x, fake_quant(W k)) / k + b), with the statistics of the batch. In eval mode, and when frozen:
/// y = f(x, fake_quant(W k)) + (b - running_mean) k + beta, which is what the converted module computes.
/// </summary>
public abstract class QatNormModule : QatModule
{
    private bool _frozen;

    private protected QatNormModule(string name, nn.Module<Tensor, Tensor> module, FakeQuantizeBase weightFakeQuant) : base(name, module, weightFakeQuant)
    {
    }

    private IFusedNormModule Fused => (IFusedNormModule)module;

    /// <summary>Whether the statistics of the batch norm are kept as they are, in training mode too.</summary>
    public bool is_bn_frozen => _frozen;

    /// <summary>Keeps the statistics of the batch norm as they are, and normalizes with them, until <see cref="update_bn_stats"/>; <c>train()</c> does not change that. It is no part of the state.</summary>
    public void freeze_bn_stats() => _frozen = true;

    /// <summary>Lets the batch norm follow the batches again, in training mode.</summary>
    public void update_bn_stats() => _frozen = false;

    /// <inheritdoc/>
    internal override nn.Module<Tensor, Tensor> Folded() => Fused.Folded();

    /// <inheritdoc/>
    private protected override nn.Module<Tensor, Tensor>? FusedActivation => Fused.Activation;

    /// <summary>The module with the weights.</summary>
    private protected nn.Module<Tensor, Tensor> First => Fused.First;

    /// <summary>The float weight and bias.</summary>
    private protected abstract (Tensor Weight, Tensor? Bias) Weights { get; }

    /// <summary>f with that weight and bias.</summary>
    private protected abstract Tensor Apply(Tensor input, Tensor weight, Tensor? bias);

    /// <inheritdoc/>
    private protected override Tensor Compute(Tensor input)
    {
        var norm = Fused.Norm;
        using var variance = norm.running_var!.add(norm.eps);
        using var inverse = variance.rsqrt();
        using var scale = norm.affine ? norm.weight * inverse : inverse.alias();
        return norm.training && !_frozen ? WithBatchStatistics(input, norm, scale) : WithRunningStatistics(input, norm, inverse, scale);
    }

    private Tensor WithBatchStatistics(Tensor input, BatchNorm norm, Tensor scale)
    {
        // A channel whose gamma is 0 can be divided by nothing else than 1; its output is beta whatever its weights are.
        using var zero = scale.eq(0);
        using var divisor = scale.masked_fill(zero, 1);
        using var weight = FoldedWeight(divisor);
        using var scaled = Apply(input, weight, null);
        var spatial = new long[Weights.Weight.dim() - 2];
        Array.Fill(spatial, 1);
        using var channels = divisor.reshape([-1, .. spatial]);
        using var linear = scaled / channels;
        if (Weights.Bias is not { } bias)
            return norm.call(linear);
        using var biases = bias.reshape([-1, .. spatial]);
        using var biased = linear + biases;
        return norm.call(biased);
    }

    /// <summary>The order of the operations is that of <see cref="Fusion.BatchNormFolding"/>: the same numbers to the last bit.</summary>
    private Tensor WithRunningStatistics(Tensor input, BatchNorm norm, Tensor inverse, Tensor scale)
    {
        using var weight = FoldedWeight(scale);
        var mean = norm.running_mean!;
        using var centered = Weights.Bias is { } bias ? bias - mean : mean.neg();
        using var normed = centered * inverse;
        if (!norm.affine)
            return Apply(input, weight, normed);
        using var scaled = normed * norm.weight;
        using var shifted = scaled + norm.bias!;
        return Apply(input, weight, shifted);
    }

    private Tensor FoldedWeight(Tensor scale)
    {
        var weight = Weights.Weight;
        var perOutput = new long[weight.dim()];
        Array.Fill(perOutput, 1);
        perOutput[0] = -1;
        using var factors = scale.reshape(perOutput);
        using var folded = weight * factors;
        return weight_fake_quant.forward(folded);
    }
}
