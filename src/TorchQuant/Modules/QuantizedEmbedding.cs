using TorchQuant.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="Embedding"/> with a table of 8-bit (or 4-bit) codes: value = scale[row] * (code - zero_point[row]), in float32, where each row's smallest and largest value are
/// codes 0 and 255. A row of one value (the zeros of a padding index) is exact.
/// </summary>
public sealed class QuantizedEmbedding : nn.Module<Tensor, Tensor>, IQuantizedModule
{
    private readonly LentState _lent;
    private PackedEmbedding _packed;

    private QuantizedEmbedding(PackedEmbedding packed, string path) : base(nameof(QuantizedEmbedding))
    {
        _packed = packed;
        Path = path;
        _lent = new LentState(Export, state => _packed = EmbeddingPacking.Import(state, _packed.Bits, _packed.Columns, Path));
    }

    /// <summary>The number of rows.</summary>
    public long num_embeddings => _packed.Rows;

    /// <summary>The size of each row.</summary>
    public long embedding_dim => _packed.Columns;

    /// <inheritdoc/>
    public string Kind => nameof(QuantizedEmbedding);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => EmbeddingPacking.Bytes(_packed);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => EmbeddingPacking.Options(_packed);

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

    /// <summary>The rows of the indices.</summary>
    /// <param name="input">Int64 or int32 indices of any shape, each from 0 to num_embeddings - 1.</param>
    /// <returns>Float32 of the input's shape and then embedding_dim.</returns>
    /// <exception cref="ArgumentException">The input is of another type, or an index is not a row; the message names the module.</exception>
    public override Tensor forward(Tensor input)
    {
        ArgumentNullException.ThrowIfNull(input);
        _lent.TakeBack();
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
    public IReadOnlyList<KeyValuePair<string, Tensor>> ExportState()
    {
        _lent.TakeBack();
        return Export();
    }

    /// <summary>The plain tensors, lent: see the remarks of <see cref="IQuantizedModule"/>.</summary>
    /// <param name="recurse">Without effect: there are no modules in this one.</param>
    /// <param name="include_nonpersistent">Without effect: all are persistent.</param>
    public override IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true, bool include_nonpersistent = true) => _lent.Lend();

    /// <summary>As PyTorch prints it: <c>QuantizedEmbedding(num_embeddings=10, embedding_dim=4, dtype=quint8, qscheme=per_channel_affine_float_qparams)</c>.</summary>
    public override string ToString() => $"{Kind}({EmbeddingPacking.Describe(_packed)})";

    internal static QuantizedEmbedding FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path) =>
        new(EmbeddingPacking.Import(state, options, path), path);

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

    private List<KeyValuePair<string, Tensor>> Export() => EmbeddingPacking.Export(_packed);
}
