namespace TorchQuant;

public static partial class quantization
{
    /// <summary>PyTorch's plain default for static quantization: activations by smallest and largest value in 0..127, int8 weights with one scale for the tensor, symmetric.
    /// What <see cref="get_default_qconfig"/> gives is more accurate.</summary>
    public static readonly QConfig default_qconfig = new(NamedObservers.Activation, NamedObservers.PerTensorWeight);

    /// <summary>As <see cref="default_qconfig"/>, with a scale for each output channel of a weight.</summary>
    public static readonly QConfig default_per_channel_qconfig = new(NamedObservers.Activation, NamedObservers.PerChannelWeight);

    /// <summary>Keeps every activation, for looking at what a model computes; it cannot be converted.</summary>
    public static readonly QConfig default_debug_qconfig = new(NamedObservers.Recording, NamedObservers.PerTensorWeight);

    /// <summary>Weights and activations in half precision.</summary>
    public static readonly QConfig float16_static_qconfig = new(NamedObservers.Float16, NamedObservers.Float16);

    /// <summary>Activations by histogram, weights in quint8: for kernels that take unsigned weights.</summary>
    public static readonly QConfig default_quint8_weight_qconfig = new(HistogramObserver.with_args(), MinMaxObserver.with_args());

    /// <summary>Signed activations by histogram, weights in -127..127 with one scale, all scales at least 2^-12: what QNNPACK's and XNNPACK's signed kernels ask for.</summary>
    public static readonly QConfig default_symmetric_qnnpack_qconfig =
        new(HistogramObserver.with_args(dtype: qdtype.qint8, eps: NamedObservers.QnnpackEps), NamedObservers.NarrowPerTensorWeight);

    /// <summary>As <see cref="default_symmetric_qnnpack_qconfig"/>, with a scale for each output channel of a weight.</summary>
    public static readonly QConfig default_per_channel_symmetric_qnnpack_qconfig =
        new(HistogramObserver.with_args(dtype: qdtype.qint8, eps: NamedObservers.QnnpackEps), NamedObservers.NarrowPerChannelWeight);

    private static readonly QConfig FullRangePerChannel = new(HistogramObserver.with_args(), NamedObservers.PerChannelWeight);

    private static readonly QConfig ReducedRangePerChannel = new(HistogramObserver.with_args(reduce_range: true), NamedObservers.PerChannelWeight);

    private static readonly Dictionary<string, QConfig> StaticBackends = new(StringComparer.Ordinal)
    {
        ["native"] = FullRangePerChannel,
        ["fbgemm"] = ReducedRangePerChannel,
        ["x86"] = ReducedRangePerChannel,
        ["onednn"] = FullRangePerChannel,
        ["qnnpack"] = new(HistogramObserver.with_args(), NamedObservers.PerTensorWeight),
    };

    /// <summary>How a backend quantizes statically to int8; activations are observed by a <see cref="HistogramObserver"/>. All of them run on our kernels; the name decides the numbers.</summary>
    /// <param name="backend"><c>native</c>: a scale for each output channel, activations in 0..255 (the most accurate; our kernels never saturate). <c>onednn</c>: the same, PyTorch's numbers
    /// for CPUs with VNNI. <c>fbgemm</c>, <c>x86</c>: PyTorch's numbers on x86, a scale for each output channel, activations in 0..127. <c>qnnpack</c>: PyTorch's numbers on Arm, one
    /// scale for a weight, activations in 0..255.</param>
    /// <exception cref="ArgumentException">The backend is none of these.</exception>
    public static QConfig get_default_qconfig(string backend = "native") => OfBackend(StaticBackends, backend);

    /// <summary>A mapping with <see cref="get_default_qconfig"/> for every module, to be added to.</summary>
    /// <param name="backend">Whose numbers: see <see cref="get_default_qconfig"/>.</param>
    /// <exception cref="ArgumentException">The backend is none of these.</exception>
    public static QConfigMapping get_default_qconfig_mapping(string backend = "native") => new QConfigMapping().set_global(get_default_qconfig(backend));
}
