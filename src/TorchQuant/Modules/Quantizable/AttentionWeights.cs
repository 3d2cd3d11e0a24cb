using TorchQuant.Kernels;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>The packed state of a <see cref="QuantizedMultiheadAttention"/>. Immutable.</summary>
internal sealed class AttentionWeights
{
    /// <summary>The learned key, [1, 1, size], in the state of both modules.</summary>
    public const string BiasK = "bias_k";

    /// <summary>The learned value, [1, 1, size], in the state of both modules.</summary>
    public const string BiasV = "bias_v";

    private readonly float[]? _biasK, _biasV;

    private AttentionWeights(AttentionFactoryOptions options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var size = options.Embedding;
        Query = Product(nameof(QuantizableMultiheadAttention.linear_Q), size, options.Bias);
        Key = Product(nameof(QuantizableMultiheadAttention.linear_K), options.KeySize, options.Bias);
        Value = Product(nameof(QuantizableMultiheadAttention.linear_V), options.ValueSize, options.Bias);
        Projection = Product(nameof(QuantizableMultiheadAttention.out_proj), size, options.Bias);
        Output = new QuantizedOutput(Projection.Output);
        Heads = StateParts.Output(state, nameof(QuantizableMultiheadAttention.quant_attn_output), path);
        Weights = new QuantizedOutput(StateParts.Output(state, nameof(QuantizableMultiheadAttention.quant_attn_output_weights), path));
        if (!options.AddBiasKv)
            return;
        (_biasK, _biasV) = (Bias(BiasK), Bias(BiasV));
        (KeyBias, ValueBias) = (AttentionBias.Codes(_biasK, Key.Output), AttentionBias.Codes(_biasV, Value.Output));

        Int8Product Product(string part, long inputs, bool hasBias)
        {
            var product = Int8ProductState.Import(state, part, path);
            if (product.Weights.InFeatures != inputs || product.Weights.OutFeatures != size || product.Bias is not null != hasBias)
                throw new ArgumentException(
                    $"{PackedState.Join(path, part)}: the weight is [{product.Weights.OutFeatures}, {product.Weights.InFeatures}] with {(product.Bias is null ? "no" : "a")} bias; expected [{size}, {inputs}] with {(hasBias ? "a" : "no")} bias.");
            return product;
        }

        float[] Bias(string name)
        {
            var bias = PackedState.Require(state, name, path);
            if (bias.dtype != ScalarType.Float32 || bias.numel() != size)
                throw PackedState.Wrong(path, name, bias, $"Float32 [1, 1, {size}]");
            WeightPacking.RequireFiniteFloat(bias, PackedState.Join(path, name));
            using var detached = bias.detach();
            using var contiguous = detached.contiguous();
            return contiguous.Span<float>().ToArray();
        }
    }

    /// <summary>From the query.</summary>
    public Int8Product Query { get; }

    /// <summary>From the key.</summary>
    public Int8Product Key { get; }

    /// <summary>From the value.</summary>
    public Int8Product Value { get; }

    /// <summary>From what the heads give to the output.</summary>
    public Int8Product Projection { get; }

    /// <summary>Makes the output.</summary>
    public QuantizedOutput Output { get; }

    /// <summary>The scale and zero point of what the heads give.</summary>
    public QParams Heads { get; }

    /// <summary>Makes the attention weights.</summary>
    public QuantizedOutput Weights { get; }

    /// <summary>The codes of the learned key, with the scale of the keys; null where there is none.</summary>
    public byte[]? KeyBias { get; }

    /// <summary>The codes of the learned value, with the scale of the values; null where there is none.</summary>
    public byte[]? ValueBias { get; }

    /// <summary>Bytes of the plain tensors.</summary>
    public long Bytes => new[] { Query, Key, Value, Projection }.Sum(Int8ProductState.Bytes) + (2 * OutputState.Bytes) + (sizeof(float) * (long)((_biasK?.Length ?? 0) + (_biasV?.Length ?? 0)));

    /// <summary>Packs the weights from plain tensors.</summary>
    /// <exception cref="ArgumentException">A tensor is missing or of another type or shape.</exception>
    public static AttentionWeights FromState(AttentionFactoryOptions options, IReadOnlyDictionary<string, Tensor> state, string path) => new(options, state, path);

    /// <summary>The plain tensors, under the names of the parts of a <see cref="QuantizableMultiheadAttention"/>.</summary>
    public List<KeyValuePair<string, Tensor>> Export()
    {
        var state = new List<KeyValuePair<string, Tensor>>();
        Int8ProductState.Export(state, nameof(QuantizableMultiheadAttention.linear_Q), Query);
        Int8ProductState.Export(state, nameof(QuantizableMultiheadAttention.linear_K), Key);
        Int8ProductState.Export(state, nameof(QuantizableMultiheadAttention.linear_V), Value);
        Int8ProductState.Export(state, nameof(QuantizableMultiheadAttention.out_proj), Projection);
        StateParts.AddOutput(state, nameof(QuantizableMultiheadAttention.quant_attn_output), Heads);
        StateParts.AddOutput(state, nameof(QuantizableMultiheadAttention.quant_attn_output_weights), Weights.QParams);
        if (_biasK is not null && _biasV is not null)
        {
            PackedState.Add(state, BiasK, tensor(_biasK, [1, 1, _biasK.Length], device: CPU));
            PackedState.Add(state, BiasV, tensor(_biasV, [1, 1, _biasV.Length], device: CPU));
        }

        return state;
    }
}
