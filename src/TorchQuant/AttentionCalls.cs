using static TorchSharp.torch;

namespace TorchQuant;

/// <summary>The call that TorchSharp offers on its sealed MultiheadAttention only, for the base type that a field must have to hold the float module and the quantized one.</summary>
/// <remarks>A field declared <c>Module&lt;Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple&lt;Tensor, Tensor&gt;&gt;</c> instead of <c>MultiheadAttention</c> lets
/// <c>quantization.prepare</c> replace it; with this, code such as <c>attention.call(x, x, x)</c> goes on compiling.</remarks>
public static class AttentionCalls
{
    /// <summary>Runs a MultiheadAttention, float, observed or quantized.</summary>
    /// <param name="module">The module.</param>
    /// <param name="query">[queries, batch, embed_dim].</param>
    /// <param name="key">[keys, batch, kdim].</param>
    /// <param name="value">[keys, batch, vdim].</param>
    /// <param name="key_padding_mask">[batch, keys], true is padding; or null.</param>
    /// <param name="need_weights">Whether the attention weights are wanted.</param>
    /// <param name="attn_mask">[queries, keys], float, added to the products; or null.</param>
    public static Tuple<Tensor, Tensor> call(
        this nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>> module,
        Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask = null, bool need_weights = true, Tensor? attn_mask = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        return module.call(query, key, value, key_padding_mask, need_weights, attn_mask);
    }
}
