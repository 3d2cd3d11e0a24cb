namespace TorchQuant;

/// <summary>The ready factories of fake quantizers, in a class of their own: the fields of the partial class <see cref="quantization"/> are initialized in no order that could be relied on.</summary>
internal static class NamedFakeQuants
{
    private static readonly ObserverFactory Activation = MovingAverageMinMaxObserver.with_args(quant_min: 0, quant_max: 255);
    private static readonly ObserverFactory ReducedActivation = MovingAverageMinMaxObserver.with_args(quant_min: 0, quant_max: 255, reduce_range: true);
    private static readonly ObserverFactory Weight = MovingAverageMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric);
    private static readonly ObserverFactory ChannelWeight = MovingAveragePerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric);

    public static readonly ObserverFactory Default = FakeQuantize.with_args(ReducedActivation);
    public static readonly ObserverFactory FullRange = FakeQuantize.with_args(Activation);
    public static readonly ObserverFactory PerTensorWeight = FakeQuantize.with_args(Weight);
    public static readonly ObserverFactory PerChannelWeight = FakeQuantize.with_args(ChannelWeight);
    public static readonly ObserverFactory Fused = FusedMovingAvgObsFakeQuantize.with_args(Activation);
    public static readonly ObserverFactory FusedReduced = FusedMovingAvgObsFakeQuantize.with_args(ReducedActivation);
    public static readonly ObserverFactory FusedPerTensorWeight = FusedMovingAvgObsFakeQuantize.with_args(Weight);
    public static readonly ObserverFactory FusedPerChannelWeight = FusedMovingAvgObsFakeQuantize.with_args(ChannelWeight);
    public static readonly ObserverFactory FusedSigned =
        FusedMovingAvgObsFakeQuantize.with_args(MovingAverageMinMaxObserver.with_args(dtype: qdtype.qint8, quant_min: -128, quant_max: 127, eps: NamedObservers.QnnpackEps));

    public static readonly ObserverFactory FusedNarrowWeight = FusedMovingAvgObsFakeQuantize.with_args(
        MovingAverageMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_tensor_symmetric, quant_min: -127, quant_max: 127, eps: NamedObservers.QnnpackEps));

    public static readonly ObserverFactory FusedNarrowChannelWeight = FusedMovingAvgObsFakeQuantize.with_args(
        MovingAveragePerChannelMinMaxObserver.with_args(dtype: qdtype.qint8, qscheme: qscheme.per_channel_symmetric, quant_min: -127, quant_max: 127, eps: NamedObservers.QnnpackEps));

    public static readonly ObserverFactory Memoryless = FakeQuantize.with_args(MovingAverageMinMaxObserver.with_args(averaging_constant: 1, quant_min: 0, quant_max: 255));
    public static readonly ObserverFactory ZeroToOne = FixedQParamsFakeQuantize.with_args(NamedObservers.ZeroToOne);
    public static readonly ObserverFactory MinusOneToOne = FixedQParamsFakeQuantize.with_args(NamedObservers.MinusOneToOne);
}
