namespace TorchQuant;

/// <summary>The ready factories, in a class of their own: the fields of the partial class <see cref="quantization"/> are initialized in no order that could be relied on.</summary>
internal static class NamedObservers
{
    /// <summary>The smallest scale of the qnnpack-symmetric settings.</summary>
    public const float QnnpackEps = 1f / 4096;

    public static readonly ObserverFactory Activation = MinMaxObserver.with_args(quant_min: 0, quant_max: 127);
    public static readonly ObserverFactory HistogramActivation = HistogramObserver.with_args(quant_min: 0, quant_max: 127);
    public static readonly ObserverFactory Float32 = PlaceholderObserver.with_args();
    public static readonly ObserverFactory Float16 = PlaceholderObserver.with_args(dtype: qdtype.float16);
    public static readonly ObserverFactory Dynamic = PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true);
    public static readonly ObserverFactory ReducedRangeDynamic = PlaceholderObserver.with_args(dtype: qdtype.quint8, is_dynamic: true, reduce_range: true);

    public static readonly ObserverFactory PerTensorWeight = MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric);
    public static readonly ObserverFactory PerChannelWeight = PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric);

    public static readonly ObserverFactory NarrowPerTensorWeight =
        MinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric, quant_min: -127, quant_max: 127, eps: QnnpackEps);

    public static readonly ObserverFactory NarrowPerChannelWeight =
        PerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric, quant_min: -127, quant_max: 127, eps: QnnpackEps);

    public static readonly ObserverFactory EmbeddingWeight =
        PerChannelMinMaxObserver.with_args(dtype: qdtype.quint8, qscheme: qscheme.per_channel_affine_float_qparams);

    public static readonly ObserverFactory EmbeddingWeight4Bit =
        PerChannelMinMaxObserver.with_args(dtype: qdtype.quint4x2, qscheme: qscheme.per_channel_affine_float_qparams);

    public static readonly ObserverFactory ZeroToOne = FixedQParamsObserver.with_args(1f / 256, 0);
    public static readonly ObserverFactory MinusOneToOne = FixedQParamsObserver.with_args(2f / 256, 128);
    public static readonly ObserverFactory Recording = RecordingObserver.with_args();
}
