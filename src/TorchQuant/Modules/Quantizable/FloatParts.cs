using System.Runtime.CompilerServices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Makes the float parts of the quantizable modules from the weights of TorchSharp's own.</summary>
internal static class FloatParts
{
    /// <summary>A Linear with copies of a weight and a bias; they belong to no DisposeScope.</summary>
    /// <param name="weight">[out, in]; borrowed.</param>
    /// <param name="bias">[out], or null; borrowed.</param>
    public static Linear Linear(Tensor weight, Tensor? bias)
    {
        // Of one number: what a Linear draws as first weights is thrown away.
        var linear = nn.Linear(1, 1, bias is not null);
        (linear.out_features, linear.in_features) = (weight.shape[0], weight.shape[1]);
        linear.weight = Copy(weight);
        if (bias is not null)
            linear.bias = Copy(bias);
        return linear;
    }

    /// <summary>A parameter of its own with the values of a tensor.</summary>
    public static Parameter Copy(Tensor values)
    {
        using var detached = values.detach();
        return (Parameter)new Parameter(detached.clone().DetachFromDisposeScope(), values.requires_grad).DetachFromDisposeScope();
    }

    /// <summary>A size, which is at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is less.</exception>
    public static int Size(long size, [CallerArgumentExpression(nameof(size))] string name = "") =>
        size >= 1 ? checked((int)size) : throw new ArgumentOutOfRangeException(name, size, $"{name} is {size}; expected at least 1.");

    /// <summary>Gives a quantizable module what its float module has besides weights: the training flag and its own qconfig.</summary>
    public static T TakingOver<T>(nn.Module floats, T module) where T : nn.Module
    {
        module.train(floats.training);
        if (ModuleQConfig.TryGet(floats, out var qconfig))
            module.qconfig = qconfig;
        return module;
    }
}
