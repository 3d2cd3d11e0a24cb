using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The straight-through estimator for values that were computed elsewhere: y is what is given, and the gradient of y is that of x.</summary>
internal sealed class GivenValues : autograd.SingleTensorFunction<GivenValues>
{
    /// <inheritdoc/>
    public override string Name => nameof(GivenValues);

    /// <summary>y = values, dy/dx = 1.</summary>
    /// <param name="x">What the values stand for.</param>
    /// <param name="values">Of the shape of x, without a gradient; taken over.</param>
    public static Tensor Apply(Tensor x, Tensor values)
    {
        if (!x.requires_grad || !is_grad_enabled())
            return values;
        using (values)
            return apply(x, new SavedTensor(values));
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) => ((SavedTensor)vars[1]).Value;

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output) => [grad_output, null!];

    /// <summary>Hides a tensor from autograd, which takes every tensor among the arguments for an input.</summary>
    private sealed record SavedTensor(Tensor Value);
}
