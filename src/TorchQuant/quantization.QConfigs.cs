namespace TorchQuant;

/// <summary>PyTorch's eager-mode quantization for TorchSharp: the functions and settings of <c>torch.ao.quantization</c>, under its names.</summary>
public static partial class quantization
{
    private static readonly ObserverFactory PerTensorWeight = MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric);

    private static readonly ObserverFactory PerChannelWeight = PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric);

    private static readonly ObserverFactory FullRangeActivation = PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true);

    private static readonly ObserverFactory ReducedRangeActivation = PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true, reduce_range: true);

    /// <summary>PyTorch's default for dynamic quantization, with PyTorch's numbers: int8 weights with one scale for the tensor, symmetric; activations in 0..127
    /// (<c>reduce_range</c>). What <c>quantize_dynamic</c> uses by default is <see cref="get_default_dynamic_qconfig"/><c>("native")</c>.</summary>
    public static readonly QConfig default_dynamic_qconfig = new(ReducedRangeActivation, PerTensorWeight);

    /// <summary>As <see cref="default_dynamic_qconfig"/>, with a scale for each output channel of a weight.</summary>
    public static readonly QConfig per_channel_dynamic_qconfig = new(ReducedRangeActivation, PerChannelWeight);

    /// <summary>Weights stored in half precision (values beyond 65504 saturate), computed with in float32; activations stay float32.</summary>
    public static readonly QConfig float16_dynamic_qconfig =
        new(PlaceholderObserver.with_args(dtype: qdtype.float16), PlaceholderObserver.with_args(dtype: qdtype.float16));

    /// <summary>Embeddings in 8 bits: each row has a scale and a float zero point, so that its smallest and largest value are exact; the output is float32.</summary>
    public static readonly QConfig float_qparams_weight_only_qconfig =
        new(PlaceholderObserver.with_args(), PerChannelMinMaxObserver.with_args(dtype: qdtype.quint8, qscheme: qscheme.per_channel_affine_float_qparams));

    /// <summary>Embedding bags in 4 bits, two values to the byte; otherwise as <see cref="float_qparams_weight_only_qconfig"/>.</summary>
    public static readonly QConfig float_qparams_weight_only_qconfig_4bit =
        new(PlaceholderObserver.with_args(), PerChannelMinMaxObserver.with_args(dtype: qdtype.quint4x2, qscheme: qscheme.per_channel_affine_float_qparams));

    private static readonly Dictionary<string, QConfig> DynamicBackends = new(StringComparer.Ordinal)
    {
        ["native"] = new(FullRangeActivation, PerChannelWeight),
        ["fbgemm"] = default_dynamic_qconfig,
        ["x86"] = default_dynamic_qconfig,
        ["onednn"] = default_dynamic_qconfig,
        ["qnnpack"] = new(FullRangeActivation, PerTensorWeight),
    };

    /// <summary>How a backend quantizes dynamically to int8. All of them run on our kernels; the name decides the numbers.</summary>
    /// <param name="backend"><c>native</c>: a scale for each output channel, activations in the full range 0..255 (the most accurate; our kernels never saturate).
    /// <c>fbgemm</c>, <c>x86</c>, <c>onednn</c>: PyTorch's numbers on x86, one scale for a weight, activations in 0..127.
    /// <c>qnnpack</c>: PyTorch's numbers on Arm, one scale for a weight, activations in 0..255.</param>
    /// <exception cref="ArgumentException">The backend is none of these.</exception>
    public static QConfig get_default_dynamic_qconfig(string backend = "native")
    {
        ArgumentNullException.ThrowIfNull(backend);
        return DynamicBackends.TryGetValue(backend, out var qconfig)
            ? qconfig
            : throw new ArgumentException($"'{backend}' is no backend; there are {string.Join(", ", DynamicBackends.Keys)}.", nameof(backend));
    }
}
