namespace TorchQuant;

/// <summary>PyTorch's eager-mode quantization for TorchSharp: the functions and settings of <c>torch.ao.quantization</c>, under its names.</summary>
public static partial class quantization
{
    /// <summary>PyTorch's default for dynamic quantization, with PyTorch's numbers: int8 weights with one scale for the tensor, symmetric; activations in 0..127
    /// (<c>reduce_range</c>). What <c>quantize_dynamic</c> uses by default is <see cref="get_default_dynamic_qconfig"/><c>("native")</c>.</summary>
    public static readonly QConfig default_dynamic_qconfig = new(NamedObservers.ReducedRangeDynamic, NamedObservers.PerTensorWeight);

    /// <summary>As <see cref="default_dynamic_qconfig"/>, with a scale for each output channel of a weight.</summary>
    public static readonly QConfig per_channel_dynamic_qconfig = new(NamedObservers.ReducedRangeDynamic, NamedObservers.PerChannelWeight);

    /// <summary>Weights stored in half precision (values beyond 65504 saturate), computed with in float32; activations stay float32.</summary>
    public static readonly QConfig float16_dynamic_qconfig = new(NamedObservers.Float16, NamedObservers.Float16);

    /// <summary>Embeddings in 8 bits: each row has a scale and a float zero point, so that its smallest and largest value are exact; the output is float32.</summary>
    public static readonly QConfig float_qparams_weight_only_qconfig = new(NamedObservers.Float32, NamedObservers.EmbeddingWeight);

    /// <summary>Embedding bags in 4 bits, two values to the byte; otherwise as <see cref="float_qparams_weight_only_qconfig"/>.</summary>
    public static readonly QConfig float_qparams_weight_only_qconfig_4bit = new(NamedObservers.Float32, NamedObservers.EmbeddingWeight4Bit);

    private static readonly Dictionary<string, QConfig> DynamicBackends = new(StringComparer.Ordinal)
    {
        ["native"] = new(NamedObservers.Dynamic, NamedObservers.PerChannelWeight),
        ["fbgemm"] = default_dynamic_qconfig,
        ["x86"] = default_dynamic_qconfig,
        ["onednn"] = default_dynamic_qconfig,
        ["qnnpack"] = new(NamedObservers.Dynamic, NamedObservers.PerTensorWeight),
    };

    /// <summary>How a backend quantizes dynamically to int8. All of them run on our kernels; the name decides the numbers.</summary>
    /// <param name="backend"><c>native</c>: a scale for each output channel, activations in the full range 0..255 (the most accurate; our kernels never saturate).
    /// <c>fbgemm</c>, <c>x86</c>, <c>onednn</c>: PyTorch's numbers on x86, one scale for a weight, activations in 0..127.
    /// <c>qnnpack</c>: PyTorch's numbers on Arm, one scale for a weight, activations in 0..255.</param>
    /// <exception cref="ArgumentException">The backend is none of these.</exception>
    public static QConfig get_default_dynamic_qconfig(string backend = "native") => OfBackend(DynamicBackends, backend);

    private static QConfig OfBackend(Dictionary<string, QConfig> backends, string backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return backends.TryGetValue(backend, out var qconfig)
            ? qconfig
            : throw new ArgumentException($"'{backend}' is no backend; there are {string.Join(", ", backends.Keys)}.", nameof(backend));
    }
}
