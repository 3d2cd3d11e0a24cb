using TorchQuant.Modules.Recurrent;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// A MultiheadAttention made of parts that static quantization can observe and convert, PyTorch's <c>torch.ao.nn.quantizable.MultiheadAttention</c>: what
/// <c>quantization.prepare</c> puts in the place of a <see cref="MultiheadAttention"/>. Linear layers for query, key, value and output, stubs around the attention itself, which
/// stays float.
/// </summary>
/// <remarks>q = linear_Q(query) / sqrt(head size), k = linear_K(key), v = linear_V(value); out_proj(softmax(q k^T + masks) v), head by head.</remarks>
public sealed class QuantizableMultiheadAttention : nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>>
{
    [ComponentName(Name = nameof(linear_Q))]
    private readonly nn.Module<Tensor, Tensor> _linearQ;

    [ComponentName(Name = nameof(linear_K))]
    private readonly nn.Module<Tensor, Tensor> _linearK;

    [ComponentName(Name = nameof(linear_V))]
    private readonly nn.Module<Tensor, Tensor> _linearV;

    [ComponentName(Name = nameof(out_proj))]
    private readonly nn.Module<Tensor, Tensor> _outProj;

    [ComponentName(Name = "q_scaling_product")]
    private readonly FloatFunctional _scaling = new();

    [ComponentName(Name = nameof(quant_attn_output))]
    private readonly QuantStub _quantOutput = new();

    [ComponentName(Name = nameof(quant_attn_output_weights))]
    private readonly QuantStub _quantWeights = new();

    [ComponentName(Name = "dequant_q")]
    private readonly DeQuantStub _dequantQ = new();

    [ComponentName(Name = "dequant_k")]
    private readonly DeQuantStub _dequantK = new();

    [ComponentName(Name = "dequant_v")]
    private readonly DeQuantStub _dequantV = new();

    [ComponentName(Name = "bias_k")]
    private readonly Parameter? _biasK;

    [ComponentName(Name = "bias_v")]
    private readonly Parameter? _biasV;

    private readonly AttentionInput _input;

    private QuantizableMultiheadAttention(AttentionFactoryOptions options, IReadOnlyDictionary<string, Parameter> weights) : base(nameof(QuantizableMultiheadAttention))
    {
        Settings = options;
        _input = new AttentionInput(GetName, options);
        _linearQ = Projection(options, weights, "q_proj_weight", 0);
        _linearK = Projection(options, weights, "k_proj_weight", 1);
        _linearV = Projection(options, weights, "v_proj_weight", 2);
        _outProj = FloatParts.Linear(weights["out_proj.weight"], weights.GetValueOrDefault("out_proj.bias"));
        if (options.AddBiasKv)
            (_biasK, _biasV) = (FloatParts.Copy(weights["bias_k"]), FloatParts.Copy(weights["bias_v"]));
        RegisterComponents();
    }

    /// <summary>From the query, [.., embed_dim].</summary>
    public nn.Module<Tensor, Tensor> linear_Q => _linearQ;

    /// <summary>From the key, [.., kdim].</summary>
    public nn.Module<Tensor, Tensor> linear_K => _linearK;

    /// <summary>From the value, [.., vdim].</summary>
    public nn.Module<Tensor, Tensor> linear_V => _linearV;

    /// <summary>From what the heads give to the output.</summary>
    public nn.Module<Tensor, Tensor> out_proj => _outProj;

    /// <summary>Quantizes what the heads give.</summary>
    public QuantStub quant_attn_output => _quantOutput;

    /// <summary>Quantizes the attention weights.</summary>
    public QuantStub quant_attn_output_weights => _quantWeights;

    /// <summary>Sizes and options.</summary>
    internal AttentionFactoryOptions Settings { get; }

    /// <summary>An attention with copies of the weights of a float one, and with its qconfig if it has one.</summary>
    /// <param name="module">The float module; it is not changed.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">Its options, which TorchSharp keeps in native code, cannot be found; the message says why.</exception>
    public static QuantizableMultiheadAttention from_float(MultiheadAttention module, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        try
        {
            return FloatParts.TakingOver(module, new QuantizableMultiheadAttention(AttentionProbe.Of(module), FloatRecurrent.Parameters(module)));
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException($"{(path.Length == 0 ? nameof(MultiheadAttention) : path)} cannot be quantized: {e.Message}. Leave it float: set its qconfig to null.", e);
        }
    }

    /// <summary>Computes the attention.</summary>
    /// <param name="query">[queries, batch, embed_dim]: float, or quint8 once the parts are converted; key and value alike.</param>
    /// <param name="key">[keys, batch, kdim].</param>
    /// <param name="value">[keys, batch, vdim].</param>
    /// <param name="key_padding_mask">[batch, keys], boolean: true is padding. Or null.</param>
    /// <param name="need_weights">Whether the attention weights are wanted.</param>
    /// <param name="attn_mask">[queries, keys] or [batch * heads, queries, keys], float: added to the products, so -infinity where a query must not look. Or null.</param>
    /// <returns>[queries, batch, embed_dim], and the mean of the attention weights over the heads, [batch, queries, keys and what the module adds to them]; without
    /// <paramref name="need_weights"/> a tensor without a handle, as TorchSharp's module gives it.</returns>
    /// <exception cref="ArgumentException">A shape or a type is wrong.</exception>
    public override Tuple<Tensor, Tensor> forward(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask, bool need_weights, Tensor? attn_mask)
    {
        var (queries, keys, batch) = _input.Sizes(query, key, value);
        using var scope = NewDisposeScope();
        var (mask, padding) = (_input.Attention(attn_mask, queries, keys, batch), _input.Padding(key_padding_mask, keys, batch));
        var q = _scaling.mul_scalar(_linearQ.call(query), Settings.Scaling);
        Tensor k = _linearK.call(key), v = _linearV.call(value);
        if (_biasK is not null)
            (k, v) = (AttentionBias.Append(k, _biasK), AttentionBias.Append(v, _biasV!));
        if (Settings.AddZeroAttn)
            (k, v) = (AttentionBias.AppendZeros(k), AttentionBias.AppendZeros(v));
        var (heads, weights) = AttentionProduct.Of(
            _dequantQ.call(q), _dequantK.call(k), _dequantV.call(v), Settings.Heads, mask, padding, training ? Settings.Dropout : 0);
        var output = _outProj.call(_quantOutput.call(heads));
        var given = _quantWeights.call(weights);
        scope.MoveToOuter(output);
        return Tuple.Create(output, need_weights ? scope.MoveToOuter(AttentionProduct.MeanOverHeads(given, batch, Settings.Heads)) : AttentionProduct.None());
    }

    /// <summary>As <see cref="forward"/>, with hooks and TorchSharp's defaults.</summary>
    /// <inheritdoc cref="forward"/>
    public new Tuple<Tensor, Tensor> call(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask = null, bool need_weights = true, Tensor? attn_mask = null) =>
        base.call(query, key, value, key_padding_mask, need_weights, attn_mask);

    /// <summary>As PyTorch names it, with the sizes: <c>QuantizableMultiheadAttention(embed_dim=64, num_heads=8)</c>.</summary>
    public override string ToString() => $"{GetName()}({AttentionOptions.Describe(Settings)})";

    /// <summary>Converts the parts that have weights or qparams of their own.</summary>
    internal void Convert(PartStates parts)
    {
        parts.Add<QuantizedLinear>(nameof(linear_Q), _linearQ);
        parts.Add<QuantizedLinear>(nameof(linear_K), _linearK);
        parts.Add<QuantizedLinear>(nameof(linear_V), _linearV);
        parts.Add<QuantizedLinear>(nameof(out_proj), _outProj);
        parts.Add<Quantize>(nameof(quant_attn_output), _quantOutput);
        parts.Add<Quantize>(nameof(quant_attn_output_weights), _quantWeights);
        if (_biasK is not null)
        {
            parts.Add(AttentionWeights.BiasK, _biasK);
            parts.Add(AttentionWeights.BiasV, _biasV!);
        }
    }

    private static Linear Projection(AttentionFactoryOptions options, IReadOnlyDictionary<string, Parameter> weights, string name, int index)
    {
        var size = options.Embedding;
        using var scope = NewDisposeScope();
        var bias = weights.GetValueOrDefault("in_proj_bias")?.narrow(0, index * size, size);
        return FloatParts.Linear(options.IsJoined ? weights["in_proj_weight"].narrow(0, index * size, size) : weights[name], bias);
    }
}
