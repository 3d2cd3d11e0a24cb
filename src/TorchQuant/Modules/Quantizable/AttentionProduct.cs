using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The part of an attention that is float in the quantized module too: softmax(q k^T + masks) v, head by head.</summary>
internal static class AttentionProduct
{
    /// <summary>Computes it.</summary>
    /// <param name="q">[queries, batch, size], scaled already; the heads lie one after the other in the size.</param>
    /// <param name="k">[keys, batch, size].</param>
    /// <param name="v">[keys, batch, size].</param>
    /// <param name="heads">How many heads.</param>
    /// <param name="mask">[1 or batch * heads, queries, keys], added to the products.</param>
    /// <param name="padding">[batch, 1, 1, keys], boolean.</param>
    /// <param name="dropout">The probability of dropping an attention weight; 0 to drop none.</param>
    /// <returns>[queries, batch, size], and the attention weights, [batch * heads, queries, keys].</returns>
    public static (Tensor Output, Tensor Weights) Of(Tensor q, Tensor k, Tensor v, long heads, Tensor? mask, Tensor? padding, double dropout)
    {
        using var scope = NewDisposeScope();
        var (queries, batch, size) = (q.shape[0], q.shape[1], q.shape[2]);
        Tensor Heads(Tensor x) => x.contiguous().view(x.shape[0], batch * heads, size / heads).transpose(0, 1);
        var scores = Heads(q).bmm(Heads(k).transpose(1, 2));
        if (mask is not null)
            scores += mask;
        if (padding is not null)
            scores = scores.view(batch, heads, queries, -1).masked_fill(padding, double.NegativeInfinity).view(batch * heads, queries, -1);
        var weights = scores.softmax(-1);
        if (dropout > 0)
            weights = nn.functional.dropout(weights, dropout, training: true);
        return scope.MoveToOuter(weights.bmm(Heads(v)).transpose(0, 1).contiguous().view(queries, batch, size), weights);
    }

    /// <summary>The mean over the heads, [batch, queries, keys], of weights of [batch * heads, queries, keys]: float or quint8.</summary>
    public static Tensor MeanOverHeads(Tensor weights, long batch, long heads)
    {
        using var scope = NewDisposeScope();
        return scope.MoveToOuter(weights.view(batch, heads, weights.shape[1], weights.shape[2]).mean([1]));
    }

    /// <summary>What TorchSharp's module gives in the place of weights that are not wanted: a tensor without a handle.</summary>
    public static Tensor None()
    {
        var none = empty(0);
        none.Dispose();
        return none;
    }
}
