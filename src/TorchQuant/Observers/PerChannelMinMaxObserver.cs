namespace TorchQuant;

/// <summary>Keeps the smallest and the largest value for each index of one axis and chooses a scale and a zero point for each, by the formulas of
/// <see cref="UniformQuantizationObserverBase"/>.</summary>
public sealed class PerChannelMinMaxObserver : RangeObserverBase
{
    /// <summary>An observer that has seen nothing.</summary>
    /// <param name="ch_axis">The axis of the channels; negative counts from the end. 0 is the output axis of a Linear's weight.</param>
    /// <param name="dtype">The type to quantize to; quint8 if not given.</param>
    /// <param name="qscheme">One of the per-channel schemes.</param>
    /// <param name="reduce_range">Whether the range is halved: qint8 -64..63, quint8 0..127.</param>
    /// <param name="quant_min">The smallest code, given together with <paramref name="quant_max"/>; the type's if null.</param>
    /// <param name="quant_max">The largest code; the type's if null.</param>
    /// <param name="eps">The smallest scale; float32's epsilon, 2^-23, if null.</param>
    /// <exception cref="ArgumentException">The settings contradict each other; the message says how.</exception>
    public PerChannelMinMaxObserver(
        int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null)
        : base(nameof(PerChannelMinMaxObserver), dtype ?? qdtype.quint8, qscheme, reduce_range, quant_min, quant_max, eps, ch_axis, averagingConstant: null) =>
        this.ch_axis = ch_axis;

    /// <summary>The axis of the channels.</summary>
    public int ch_axis { get; }

    /// <summary>A factory of observers with these settings, for a <see cref="QConfig"/>.</summary>
    /// <inheritdoc cref="PerChannelMinMaxObserver(int, qdtype?, qscheme, bool, int?, int?, float?)"/>
    public static ObserverFactory with_args(
        int ch_axis = 0, qdtype? dtype = null, qscheme qscheme = qscheme.per_channel_affine, bool reduce_range = false, int? quant_min = null, int? quant_max = null,
        float? eps = null) =>
        new(() => new PerChannelMinMaxObserver(ch_axis, dtype, qscheme, reduce_range, quant_min, quant_max, eps));
}
