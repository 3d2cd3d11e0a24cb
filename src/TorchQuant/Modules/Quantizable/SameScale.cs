using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>Joins tensors; quantized ones get the scale and zero point of the first, as <c>torch.cat</c> does it, which warns where they differ.</summary>
internal static class SameScale
{
    /// <summary>From codes to codes by their real numbers, each code by itself: by the table that <see cref="LstmJoin"/> uses, and not by operators that go over a tensor in vectors and do what is left over otherwise.</summary>
    private static readonly CodeTableCache s_requantize = new(static x => x.clone());

    /// <summary>The tensors one after the other along a dimension, as a new tensor.</summary>
    /// <param name="tensors">At least one; float or quint8.</param>
    /// <param name="dim">The dimension.</param>
    public static Tensor Cat(IReadOnlyList<Tensor> tensors, long dim)
    {
        if (!tensors[0].is_quantized())
            return cat([.. tensors], dim);
        using var scope = NewDisposeScope();
        var first = TensorQParams.Of(tensors[0]);
        var output = new QuantizedOutput(first);
        var same = tensors.Select(tensor => TensorQParams.Of(tensor) is var own && own == first ? tensor : s_requantize.Apply(tensor, own, output));
        return scope.MoveToOuter(cat([.. same], dim));
    }
}
