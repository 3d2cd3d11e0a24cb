using System.Reflection;
using static TorchSharp.torch;

namespace TorchQuant.Fusion;

/// <summary>Calls modules of which only <c>nn.Module</c> is known, but that take one tensor.</summary>
internal static class SingleTensorCall
{
    /// <summary>The <c>call</c> of a model, with its hooks.</summary>
    /// <exception cref="ArgumentException">The model takes something else.</exception>
    public static Func<nn.Module, Tensor, object?> Of(nn.Module model)
    {
        if (model is nn.Module<Tensor, Tensor>) return static (m, input) => ((nn.Module<Tensor, Tensor>)m).call(input);
        var callable = CSharpNames.CallableBase(model.GetType());
        if (callable.GenericTypeArguments is not [var taken, _] || taken != typeof(Tensor))
            throw new ArgumentException($"{CSharpNames.Of(model.GetType())} is a {CSharpNames.Of(callable)}, which does not take one tensor; say how to run it: fuse_modules(model, m => m.call(...), out var fused)", nameof(model));
        var call = callable.GetMethod("call", [typeof(Tensor)])!;
        return (m, input) => call.Invoke(m, BindingFlags.DoNotWrapExceptions, null, [input], null);
    }
}
