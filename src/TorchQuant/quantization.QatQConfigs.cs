namespace TorchQuant;

public static partial class quantization
{
    /// <summary>PyTorch's plain default for quantization-aware training: activations by moving averages in 0..127, int8 weights with one scale for the tensor, symmetric.</summary>
    public static readonly QConfig default_qat_qconfig = new(NamedFakeQuants.Default, NamedFakeQuants.PerTensorWeight);

    /// <summary>As <see cref="default_qat_qconfig"/>, with activations in 0..255 and the fused modules.</summary>
    public static readonly QConfig default_qat_qconfig_v2 = new(NamedFakeQuants.Fused, NamedFakeQuants.FusedPerTensorWeight);

    /// <summary>Activations by the range of each batch alone, int8 weights with one scale for the tensor: for models that are quantized dynamically afterwards.</summary>
    public static readonly QConfig default_dynamic_qat_qconfig = new(NamedFakeQuants.Memoryless, NamedFakeQuants.PerTensorWeight);

    /// <summary>For Embedding and EmbeddingBag: tables of 8 bits, each row with a scale of its own; set it on those modules.</summary>
    public static readonly QConfig default_embedding_qat_qconfig = new(NoopObserver.with_args(qdtype.float32), RowFakeQuantize.with_args());

    /// <summary>As <see cref="default_embedding_qat_qconfig"/>, with 4 bits.</summary>
    public static readonly QConfig default_embedding_qat_qconfig_4bit = new(NoopObserver.with_args(qdtype.float32), RowFakeQuantize.with_args(qdtype.quint4x2));

    /// <summary>Signed activations, weights in -127..127 with one scale, all scales at least 2^-12: for QNNPACK's and XNNPACK's signed kernels.</summary>
    public static readonly QConfig default_symmetric_qnnpack_qat_qconfig = new(NamedFakeQuants.FusedSigned, NamedFakeQuants.FusedNarrowWeight);

    /// <summary>As <see cref="default_symmetric_qnnpack_qat_qconfig"/>, with a scale for each output channel of a weight.</summary>
    public static readonly QConfig default_per_channel_symmetric_qnnpack_qat_qconfig = new(NamedFakeQuants.FusedSigned, NamedFakeQuants.FusedNarrowChannelWeight);

    private static readonly Dictionary<string, (QConfig Unfused, QConfig Fused)> QatBackends = new(StringComparer.Ordinal)
    {
        ["native"] = (new(NamedFakeQuants.FullRange, NamedFakeQuants.PerChannelWeight), new(NamedFakeQuants.Fused, NamedFakeQuants.FusedPerChannelWeight)),
        ["fbgemm"] = (new(NamedFakeQuants.Default, NamedFakeQuants.PerChannelWeight), new(NamedFakeQuants.FusedReduced, NamedFakeQuants.FusedPerChannelWeight)),
        ["x86"] = (new(NamedFakeQuants.Default, NamedFakeQuants.PerChannelWeight), new(NamedFakeQuants.FusedReduced, NamedFakeQuants.FusedPerChannelWeight)),
        ["onednn"] = (new(NamedFakeQuants.FullRange, NamedFakeQuants.PerChannelWeight), new(NamedFakeQuants.Fused, NamedFakeQuants.FusedPerChannelWeight)),
        ["qnnpack"] = (new(NamedFakeQuants.FullRange, NamedFakeQuants.PerTensorWeight), new(NamedFakeQuants.Fused, NamedFakeQuants.FusedPerTensorWeight)),
    };

    /// <summary>How a backend quantizes in quantization-aware training. All of them run on our kernels; the name decides the numbers.</summary>
    /// <param name="backend"><c>native</c> and <c>onednn</c>: a scale for each output channel, activations in 0..255. <c>fbgemm</c>, <c>x86</c>: a scale for each output channel, activations in
    /// 0..127. <c>qnnpack</c>: one scale for a weight, activations in 0..255.</param>
    /// <param name="version">PyTorch's: 1 has <see cref="FusedMovingAvgObsFakeQuantize"/>, 0 <see cref="FakeQuantize"/>; here both compute the same.</param>
    /// <exception cref="ArgumentException">The backend or the version is none of these.</exception>
    public static QConfig get_default_qat_qconfig(string backend = "native", int version = 1)
    {
        ArgumentNullException.ThrowIfNull(backend);
        if (!QatBackends.TryGetValue(backend, out var found))
            throw new ArgumentException($"'{backend}' is no backend; there are {string.Join(", ", QatBackends.Keys)}.", nameof(backend));
        return version switch
        {
            0 => found.Unfused,
            1 => found.Fused,
            _ => throw new ArgumentException($"version is {version}; there are 0 and 1.", nameof(version)),
        };
    }
}
