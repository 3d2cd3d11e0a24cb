using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// Two float modules that quantization takes as one, as PyTorch's <c>torch.ao.nn.intrinsic</c> containers are: y = activation(first(x)). Its parts are the children
/// <c>0</c> and <c>1</c>, so state_dict has the keys of a Sequential: <c>conv.0.weight</c>, <c>conv.0.bias</c>. Made by <c>quantization.fuse_modules</c>.
/// </summary>
/// <typeparam name="TFirst">The module with the weights.</typeparam>
/// <typeparam name="TActivation">The activation after it.</typeparam>
public abstract class FusedModule<TFirst, TActivation> : nn.Module<Tensor, Tensor>, IFusedModule
    where TFirst : nn.Module<Tensor, Tensor>
    where TActivation : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "0")]
    private readonly TFirst _first;

    [ComponentName(Name = "1")]
    private readonly TActivation _activation;

    /// <summary>Takes over both modules: they are disposed with this one.</summary>
    /// <param name="name">The class's name.</param>
    /// <param name="first">The module with the weights, with the batch norm folded in.</param>
    /// <param name="activation">The activation after it.</param>
    private protected FusedModule(string name, TFirst first, TActivation activation) : base(name)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(activation);
        (_first, _activation) = (first, activation);
        RegisterComponents();
    }

    /// <summary>The module with the weights: child <c>0</c>.</summary>
    public TFirst First => _first;

    /// <summary>The activation: child <c>1</c>.</summary>
    public TActivation Activation => _activation;

    /// <inheritdoc/>
    nn.Module<Tensor, Tensor> IFusedModule.First => _first;

    /// <inheritdoc/>
    nn.Module<Tensor, Tensor> IFusedModule.Activation => _activation;

    /// <summary>activation(first(x)).</summary>
    /// <param name="input">What the first module takes.</param>
    /// <returns>A tensor of the shape that the first module gives.</returns>
    public override Tensor forward(Tensor input)
    {
        using var linear = _first.call(input);
        return _activation.call(linear);
    }

    /// <summary>As PyTorch prints a container: the class, and each part with its options on a line of its own.</summary>
    public override string ToString() => $"{GetType().Name}(\n  (0): {FusedPart.Describe(_first)}\n  (1): {FusedPart.Describe(_activation)}\n)";
}
