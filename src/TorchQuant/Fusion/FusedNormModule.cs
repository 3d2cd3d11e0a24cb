using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A float module with weights, its batch norm and perhaps an activation, which quantization-aware training takes as one, as PyTorch's <c>torch.ao.nn.intrinsic</c> containers are:
/// y = activation(norm(first(x))). Unlike <see cref="FusedModule{TFirst, TActivation}"/> nothing is folded: the batch norm goes on training. Its parts are the children <c>0</c>, <c>1</c>
/// and <c>2</c>, so state_dict has the keys of a Sequential. Made by <c>quantization.fuse_modules_qat</c>.
/// </summary>
/// <typeparam name="TFirst">The module with the weights.</typeparam>
/// <typeparam name="TNorm">The batch norm after it.</typeparam>
public abstract class FusedNormModule<TFirst, TNorm> : nn.Module<Tensor, Tensor>, IFusedNormModule
    where TFirst : nn.Module<Tensor, Tensor>
    where TNorm : BatchNorm
{
    [ComponentName(Name = "0")]
    private readonly TFirst _first;

    [ComponentName(Name = "1")]
    private readonly TNorm _norm;

    [ComponentName(Name = "2")]
    private readonly nn.Module<Tensor, Tensor>? _activation;

    /// <summary>Takes over the modules: they are disposed with this one.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="first">The module with the weights.</param>
    /// <param name="norm">The batch norm after it.</param>
    /// <param name="activation">The activation after that, or null.</param>
    private protected FusedNormModule(string name, TFirst first, TNorm norm, nn.Module<Tensor, Tensor>? activation) : base(name)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(norm);
        (_first, _norm, _activation) = (first, norm, activation);
        RegisterComponents();
    }

    /// <summary>The module with the weights: child <c>0</c>.</summary>
    public TFirst First => _first;

    /// <summary>The batch norm: child <c>1</c>.</summary>
    public TNorm Norm => _norm;

    /// <summary>The activation: child <c>2</c>; null where there is none.</summary>
    public nn.Module<Tensor, Tensor>? Activation => _activation;

    /// <inheritdoc/>
    nn.Module<Tensor, Tensor> IFusedNormModule.First => _first;

    /// <inheritdoc/>
    BatchNorm IFusedNormModule.Norm => _norm;

    /// <inheritdoc/>
    nn.Module<Tensor, Tensor> IFusedNormModule.Folded() => Folded();

    /// <summary>activation(norm(first(x))).</summary>
    /// <param name="input">What the first module takes.</param>
    /// <returns>A tensor of the shape that the first module gives.</returns>
    public override Tensor forward(Tensor input)
    {
        using var linear = _first.call(input);
        if (_activation is null)
            return _norm.call(linear);
        using var normed = _norm.call(linear);
        return _activation.call(normed);
    }

    /// <summary>As PyTorch prints a container: the class, and each part with its options on a line of its own.</summary>
    public override string ToString() =>
        $"{GetType().Name}(\n  (0): {FusedPart.Describe(_first)}\n  (1): {FusedPart.Describe(_norm)}\n{(_activation is null ? "" : $"  (2): {FusedPart.Describe(_activation)}\n")})";

    /// <summary>A new module without a batch norm, which computes what this one does in eval mode.</summary>
    private protected abstract nn.Module<Tensor, Tensor> Folded();
}
