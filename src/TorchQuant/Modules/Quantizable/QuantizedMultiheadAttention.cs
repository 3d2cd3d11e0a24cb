using System.Buffers;
using TorchQuant.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>A statically quantized MultiheadAttention, PyTorch's <c>torch.ao.nn.quantized.MultiheadAttention</c>: quint8 tensors in and out, int8 weights of the four linear layers; the
/// attention between them, softmax(q k^T + masks) v, is float.</summary>
/// <remarks>The learned key and value of add_bias_kv get the range of their own numbers, then the scale of the keys and values that they join.</remarks>
public sealed class QuantizedMultiheadAttention : nn.Module<Tensor, Tensor, Tensor, Tensor?, bool, Tensor?, Tuple<Tensor, Tensor>>, IQuantizedModule
{
    private readonly AttentionFactoryOptions _options;
    private readonly AttentionInput _input;
    private readonly LentState _lent;
    private volatile AttentionWeights _weights;

    private QuantizedMultiheadAttention(AttentionFactoryOptions options, IReadOnlyDictionary<string, Tensor> state, string path) : base(nameof(QuantizedMultiheadAttention))
    {
        (Path, _options) = (path, options);
        _input = new AttentionInput(() => Float32OnCpu.Name(this), options);
        _weights = AttentionWeights.FromState(options, state, path);
        _lent = new LentState(() => _weights.Export(), changed => _weights = AttentionWeights.FromState(_options, changed, Path));
    }

    /// <inheritdoc/>
    public string Kind => nameof(QuantizedMultiheadAttention);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => _weights.Bytes;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => AttentionOptions.Write(_options);

    /// <summary>Converts an observed attention that has seen data.</summary>
    /// <param name="module">What <c>quantization.prepare</c> put in the place of the float module; it is read, not changed and not kept.</param>
    /// <param name="conversion">Converts its parts.</param>
    /// <exception cref="ArgumentException">Weights are not finite, not float32 or not on the CPU, a qconfig is none for int8 weights, or a part is not observed.</exception>
    /// <exception cref="InvalidOperationException">A part has seen nothing or gives no quint8; the message names it.</exception>
    public static QuantizedMultiheadAttention from_observed(QuantizableMultiheadAttention module, StaticConversion conversion)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(conversion);
        using var parts = new PartStates(conversion);
        module.Convert(parts);
        return new QuantizedMultiheadAttention(module.Settings, parts.Tensors, conversion.Path);
    }

    /// <inheritdoc/>
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState()
    {
        _lent.TakeBack();
        return _weights.Export();
    }

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>Computes the attention.</summary>
    /// <param name="query">quint8 [queries, batch, embed_dim].</param>
    /// <param name="key">quint8 [keys, batch, kdim].</param>
    /// <param name="value">quint8 [keys, batch, vdim].</param>
    /// <param name="key_padding_mask">[batch, keys], boolean: true is padding. Or null.</param>
    /// <param name="need_weights">Whether the attention weights are wanted.</param>
    /// <param name="attn_mask">[queries, keys] or [batch * heads, queries, keys], float: added to the products, so -infinity where a query must not look. Or null.</param>
    /// <returns>quint8 [queries, batch, embed_dim], and the mean of the attention weights over the heads, quint8 [batch, queries, keys and what the module adds to them]; without
    /// <paramref name="need_weights"/> a tensor without a handle, as TorchSharp's module gives it.</returns>
    /// <exception cref="ArgumentException">A shape is wrong, or query, key or value is not quint8; the message names the module and the mend.</exception>
    public override Tuple<Tensor, Tensor> forward(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask, bool need_weights, Tensor? attn_mask)
    {
        _lent.TakeBack();
        var weights = _weights;
        var (queries, keys, batch) = _input.Sizes(query, key, value);
        var (queryParams, keyParams, valueParams) = (
            QuantizedInput.Read(this, query, nameof(query)), QuantizedInput.Read(this, key, nameof(key)), QuantizedInput.Read(this, value, nameof(value)));
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (mask, padding) = (_input.Attention(attn_mask, queries, keys, batch), _input.Padding(key_padding_mask, keys, batch));
        // mul_scalar changes the scale and leaves the codes.
        var scaled = new QParams((float)(weights.Query.Output.Scale * _options.Scaling), weights.Query.Output.ZeroPoint);
        var q = Project(weights.Query, query, queryParams, scaled, queries, batch, null, false);
        var k = Project(weights.Key, key, keyParams, weights.Key.Output, keys, batch, weights.KeyBias, _options.AddZeroAttn);
        var v = Project(weights.Value, value, valueParams, weights.Value.Output, keys, batch, weights.ValueBias, _options.AddZeroAttn);
        var (heads, attention) = AttentionProduct.Of(q, k, v, _options.Heads, mask, padding, dropout: 0);
        var output = weights.Output.Empty([queries, batch, _options.Embedding]);
        var codes = ArrayPool<byte>.Shared.Rent(checked(queries * batch * (int)_options.Embedding));
        var headCodes = codes.AsSpan(0, queries * batch * (int)_options.Embedding);
        Quantizer.Quantize(heads.Span<float>(), headCodes, weights.Heads);
        weights.Projection.Multiply(headCodes, queries * batch, weights.Heads, output.Span<byte>(), get_num_threads());
        ArrayPool<byte>.Shared.Return(codes);
        scope.MoveToOuter(output);
        if (!need_weights)
            return Tuple.Create(output, AttentionProduct.None());
        var quantized = weights.Weights.Empty(attention.shape);
        Quantizer.Quantize(attention.contiguous().Span<float>(), quantized.Span<byte>(), weights.Weights.QParams);
        return Tuple.Create(output, scope.MoveToOuter(AttentionProduct.MeanOverHeads(quantized, batch, _options.Heads)));
    }

    /// <summary>As <see cref="forward"/>, with hooks and TorchSharp's defaults.</summary>
    /// <inheritdoc cref="forward"/>
    public new Tuple<Tensor, Tensor> call(Tensor query, Tensor key, Tensor value, Tensor? key_padding_mask = null, bool need_weights = true, Tensor? attn_mask = null) =>
        base.call(query, key, value, key_padding_mask, need_weights, attn_mask);

    /// <summary>As PyTorch names it, with the sizes: <c>QuantizedMultiheadAttention(embed_dim=64, num_heads=8)</c>.</summary>
    public override string ToString() => $"{Kind}({AttentionOptions.Describe(_options)})";

    internal static QuantizedMultiheadAttention FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(AttentionOptions.Read(options, path), state, path);

    /// <inheritdoc/>
    protected override nn.Module _to(ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype);

    /// <inheritdoc/>
    protected override nn.Module _to(DeviceType deviceType, int deviceIndex, bool non_blocking) => Float32OnCpu.Accept(this, deviceType);

    /// <inheritdoc/>
    protected override nn.Module _to(Device device, ScalarType dtype, bool non_blocking) => Float32OnCpu.Accept(this, dtype, device.type);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _lent.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The int8 product, then what the module appends to each sample, as float numbers, [rows, batch, size].</summary>
    private static Tensor Project(Int8Product product, Tensor input, QParams inputParams, QParams outputParams, int rows, int batch, byte[]? bias, bool addZero)
    {
        var size = product.Weights.OutFeatures;
        var all = rows + (bias is null ? 0 : 1) + (addZero ? 1 : 0);
        var rented = ArrayPool<byte>.Shared.Rent(checked(all * batch * size));
        var codes = rented.AsSpan(0, all * batch * size);
        var source = input.Contiguous(out var copy);
        using (copy)
            product.Multiply(source.Span<byte>(), rows * batch, inputParams, codes[..(rows * batch * size)], get_num_threads());
        GC.KeepAlive(input);
        var rest = codes[(rows * batch * size)..];
        rest.Fill((byte)outputParams.ZeroPoint);
        for (var sample = 0; bias is not null && sample < batch; sample++)
            bias.CopyTo(rest[(sample * size)..]);
        var real = empty([all, batch, size], dtype: ScalarType.Float32, device: CPU);
        Quantizer.Dequantize(codes, real.Span<float>(), outputParams);
        ArrayPool<byte>.Shared.Return(rented);
        return real;
    }
}
