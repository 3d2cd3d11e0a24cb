using System.Globalization;
using TorchQuant.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using BagMode = TorchQuant.Kernels.EmbeddingBagMode;

namespace TorchQuant.Modules;

/// <summary>
/// <see cref="TorchSharp.Modules.EmbeddingBag"/> with a table of 8-bit or 4-bit codes: the rows of a bag, value = scale[row] * (code - zero_point[row]), summed, averaged or
/// their maximum taken, in float32.
/// </summary>
public sealed class QuantizedEmbeddingBag : nn.Module<Tensor, Tensor?, Tensor?, Tensor>, nn.IModule<Tensor, Tensor, Tensor>, IQuantizedModule
{
    private const string ModeOption = "mode";
    private const string IncludeLastOffsetOption = "include_last_offset";
    private const string PaddingIndexOption = "padding_idx";

    private readonly LentState _lent;
    private readonly BagMode _mode;
    private PackedEmbedding _packed;

    private QuantizedEmbeddingBag(PackedEmbedding packed, BagMode mode, bool includeLastOffset, long paddingIndex, string path) : base(nameof(QuantizedEmbeddingBag))
    {
        _packed = packed;
        _mode = mode;
        include_last_offset = includeLastOffset;
        padding_idx = paddingIndex;
        Path = path;
        _lent = new LentState(Export, state => _packed = EmbeddingPacking.Import(state, _packed.Bits, _packed.Columns, Path));
    }

    /// <summary>The number of rows.</summary>
    public long num_embeddings => _packed.Rows;

    /// <summary>The size of each row.</summary>
    public long embedding_dim => _packed.Columns;

    /// <summary>Whether offsets end with the end of the last bag.</summary>
    public bool include_last_offset { get; }

    /// <summary>The index that is left out of every bag; -1 for none.</summary>
    public long padding_idx { get; }

    /// <summary>How the rows of a bag are combined: <c>sum</c>, <c>mean</c> or <c>max</c>.</summary>
    public string mode => _mode.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public string Kind => nameof(QuantizedEmbeddingBag);

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public long WeightBytes => EmbeddingPacking.Bytes(_packed);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Options => new Dictionary<string, string>(EmbeddingPacking.Options(_packed))
    {
        [ModeOption] = mode,
        [IncludeLastOffsetOption] = include_last_offset ? "true" : "false",
        [PaddingIndexOption] = padding_idx.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Quantizes a float EmbeddingBag; it is read, not changed. Its max_norm, if it has one, is applied to the table once.</summary>
    /// <param name="module">The float module.</param>
    /// <param name="qconfig">Weights of quint8 or quint4x2 with float qparams: <see cref="quantization.float_qparams_weight_only_qconfig"/> or
    /// <see cref="quantization.float_qparams_weight_only_qconfig_4bit"/>.</param>
    /// <param name="path">The module's dotted path in its model, for messages.</param>
    /// <exception cref="ArgumentException">The table is not finite, not float32 or not on the CPU, or the qconfig is none for embeddings.</exception>
    public static QuantizedEmbeddingBag from_float(EmbeddingBag module, QConfig qconfig, string path = "")
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(qconfig);
        ArgumentNullException.ThrowIfNull(path);
        var (packed, options) = EmbeddingPacking.Pack(module, qconfig, path);
        return Of(packed, options, path);
    }

    /// <summary>A module with a table that is packed already.</summary>
    internal static QuantizedEmbeddingBag Of(PackedEmbedding packed, EmbeddingFactoryOptions options, string path)
    {
        return new(packed, Enum.Parse<BagMode>(options.Mode.ToString()), options.IncludeLastOffset, options.PaddingIndex ?? -1, path);
    }

    /// <summary>The bags of a 2-D input, whose rows are the bags.</summary>
    /// <param name="input">Int64 or int32 indices [bags, n].</param>
    public Tensor call(Tensor input) => call(input, null, null);

    /// <summary>The bags of a 1-D input.</summary>
    /// <param name="input">Int64 or int32 indices [n].</param>
    /// <param name="offsets">Where each bag starts.</param>
    public Tensor call(Tensor input, Tensor offsets) => call(input, offsets, null);

    /// <summary>The rows of each bag combined.</summary>
    /// <param name="input">Int64 or int32 indices, [n] with <paramref name="offsets"/>, or [bags, n] without (not with include_last_offset).</param>
    /// <param name="offsets">Where each bag starts in a 1-D <paramref name="input"/>; with include_last_offset one more, the end of the last.</param>
    /// <param name="perSampleWeights">Float32 of the input's shape, a factor for each index; mode sum only. Or null.</param>
    /// <returns>Float32 [bags, embedding_dim]; an empty bag gives zeros.</returns>
    /// <exception cref="ArgumentException">An input is of another type or shape, an index is not a row, or offsets do not fit; the message names the module.</exception>
    public override Tensor forward(Tensor input, Tensor? offsets, Tensor? perSampleWeights)
    {
        ArgumentNullException.ThrowIfNull(input);
        _lent.TakeBack();
        var packed = _packed;
        if (input.dim() is not (1 or 2) || input.dim() == 1 == offsets is null)
            throw new ArgumentException(
                $"{Float32OnCpu.Name(this)} takes a 1-D input with offsets or a 2-D input without, found an input of the shape [{string.Join(", ", input.shape)}] " +
                $"{(offsets is null ? "without" : "with")} offsets.", nameof(input));
        if (offsets is null && include_last_offset)
            throw new ArgumentException(
                $"{Float32OnCpu.Name(this)} has include_last_offset and was given a 2-D input, for which libtorch leaves out or mixes up the last bag: give a 1-D input with offsets.", nameof(input));
        using var indices = IndexInput.Of(this, input, nameof(input));
        using var starts = offsets is null ? arange(0, input.shape[0] * input.shape[1], Math.Max(input.shape[1], 1), dtype: ScalarType.Int64, device: CPU) : IndexInput.Of(this, offsets, nameof(offsets));
        using var weights = perSampleWeights is null ? null : SampleWeights(input, perSampleWeights);
        var bags = include_last_offset ? Math.Max(starts.numel() - 1, 0) : starts.numel();
        var output = empty([bags, packed.Columns], dtype: ScalarType.Float32, device: CPU);
        try
        {
            packed.Bag(indices.Span<long>(), starts.Span<long>(), _mode, weights is null ? [] : weights.Span<float>(), include_last_offset, padding_idx, output.Span<float>());
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

    /// <summary>As PyTorch prints it, with the mode: <c>QuantizedEmbeddingBag(num_embeddings=10, embedding_dim=4, dtype=quint4x2, qscheme=per_channel_affine_float_qparams, mode=sum)</c>.</summary>
    public override string ToString() => $"{Kind}({EmbeddingPacking.Describe(_packed)}, mode={mode})";

    internal static QuantizedEmbeddingBag FromState(IReadOnlyDictionary<string, string> options, IReadOnlyDictionary<string, Tensor> state, string path)
    {
        var packed = EmbeddingPacking.Import(state, options, path);
        var text = StateOptions.Text(options, ModeOption, path);
        if (!Enum.TryParse<BagMode>(text, ignoreCase: true, out var mode) || !Enum.IsDefined(mode))
            throw new ArgumentException($"{path}: the option {ModeOption} is '{text}'; expected sum, mean or max.");
        var padding = StateOptions.Int(options, PaddingIndexOption, path, least: -1);
        if (padding >= packed.Rows)
            throw new ArgumentException($"{path}: the option {PaddingIndexOption} is {padding}; the table has {packed.Rows} rows.");
        return new(packed, mode, StateOptions.Bool(options, IncludeLastOffsetOption, path), padding, path);
    }

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

    private Tensor SampleWeights(Tensor input, Tensor weights)
    {
        if (weights.dtype != ScalarType.Float32 || !weights.shape.AsSpan().SequenceEqual(input.shape))
            throw new ArgumentException(
                $"{Float32OnCpu.Name(this)} takes perSampleWeights of float32 and of the input's shape [{string.Join(", ", input.shape)}], found {weights.dtype} [{string.Join(", ", weights.shape)}].",
                nameof(weights));
        return weights.contiguous();
    }
}
