using TorchQuant.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="Embedding"/> with a table of 8-bit (or 4-bit) codes: value = scale[row] * (code - zero_point[row]), in float32, where each row's smallest and largest value are
/// codes 0 and 255. A row of one value (the zeros of a padding index) is exact.
/// </summary>
public sealed class QuantizedEmbedding : QuantizedModule
{
    private PackedEmbedding _packed;

    private QuantizedEmbedding(PackedEmbedding packed, string path) : base(nameof(QuantizedEmbedding), path) => _packed = packed;

    /// <summary>The number of rows.</summary>
    public long num_embeddings => _packed.Rows;

    /// <summary>The size of each row.</summary>
    public long embedding_dim => _packed.Columns;

    /// <inheritdoc/>
    public override long WeightBytes => EmbeddingPacking.Bytes(_packed);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Options => EmbeddingPacking.Options(_packed);

    /// <summary>Quantizes a float Embedding; it is read, not changed. Its max_norm, if it has one, is applied to the table once.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">Weights of quint8 or quint4x2 with float qparams: <see cref="quantization.float_qparams_weight_only_qconfig"/>.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">The table is not finite, not float32 or not on the CPU, or the qconfig is none for embeddings.</exception>
    public static QuantizedEmbedding from_float(Embedding module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(qconfig);
        ArgumentNullException.ThrowIfNull(path);
        return new(EmbeddingPacking.Pack(module, qconfig, path).Packed, path);
    }

    /// <summary>As PyTorch prints it: <c>QuantizedEmbedding(num_embeddings=10, embedding_dim=4, dtype=quint8, qscheme=per_channel_affine_float_qparams)</c>.</summary>
    public override string ToString() => $"{Kind}({EmbeddingPacking.Describe(_packed)})";

    internal static QuantizedEmbedding FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(EmbeddingPacking.Import(state, options, path), path);

    /// <summary>The rows of int64 or int32 indices of any shape, as float32 of that shape and then embedding_dim.</summary>
    private protected override Tensor Compute(Tensor input)
    {
        var packed = _packed;
        using var indices = IndexInput.Of(this, input, nameof(input));
        var output = empty([.. input.shape, packed.Columns], dtype: ScalarType.Float32, device: CPU);
        try
        {
            packed.Lookup(indices.Span<long>(), output.Span<float>(), get_num_threads());
        }
        catch (ArgumentException e)
        {
            output.Dispose();
            throw FloatInput.Refused(this, e);
        }
        return output;
    }

    /// <inheritdoc/>
    private protected override List<KeyValuePair<string, Tensor>> Export() => EmbeddingPacking.Export(_packed);

    /// <inheritdoc/>
    private protected override void Import(IReadOnlyDictionary<string, Tensor> state) => _packed = EmbeddingPacking.Import(state, _packed.Bits, _packed.Columns, Path);
}
